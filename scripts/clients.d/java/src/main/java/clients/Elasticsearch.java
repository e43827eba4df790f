package clients;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch._helpers.bulk.BulkIngester;

/** The Java client of Elasticsearch and its bulk ingester, which sends items again that there was no room for. */
public final class Elasticsearch {
    private Elasticsearch() {}

    public static void main(String[] args) throws Exception {
        try (var client = ElasticsearchClient.of(c -> c.host(Load.URL).useCompression(Load.GZIP))) {
            for (int time = 0; time < Load.TIMES; time++) {
                var ingester = BulkIngester.<Void>of(b -> b.client(client).maxOperations(1000)
                        .backoffPolicy(co.elastic.clients.transport.BackoffPolicy.exponentialBackoff(500L, 8)));
                for (var event : Load.round(time)) {
                    ingester.add(op -> op.create(c -> c.index("logs").id(String.valueOf(event.get("n"))).document(event)));
                }
                ingester.close();
            }
        }
    }
}
