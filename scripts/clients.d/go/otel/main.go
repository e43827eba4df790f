// The OpenTelemetry SDK for Go, OTLP over HTTP.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdk "go.opentelemetry.io/otel/sdk/log"
)

func number(name string, otherwise int) int {
	if value, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return value
	}
	return otherwise
}

func main() {
	ctx := context.Background()
	compression := otlploghttp.NoCompression
	if _, gzip := os.LookupEnv("GZIP"); gzip {
		compression = otlploghttp.GzipCompression
	}
	exporter, err := otlploghttp.New(ctx,
		otlploghttp.WithEndpointURL(os.Getenv("URL")+"/v1/logs"), otlploghttp.WithCompression(compression))
	if err != nil {
		panic(err)
	}
	events := number("EVENTS", 0)
	provider := sdk.NewLoggerProvider(sdk.WithProcessor(sdk.NewBatchProcessor(exporter, sdk.WithMaxQueueSize(2*events))))
	logger := provider.Logger("shop")
	for range number("TIMES", 1) {
		for n := range events {
			var record log.Record
			record.SetTimestamp(time.Now())
			record.SetBody(attribute.StringValue(fmt.Sprintf("event %d", n)))
			record.AddAttributes(attribute.Int("n", n))
			if n == number("INVALID", -1) {
				// Larger than the server takes.
				record.AddAttributes(attribute.String("large", strings.Repeat("x", 1_200_000)))
			}
			logger.Emit(ctx, record)
		}
		// Records in quarantine are told as an error, too.
		if err := provider.ForceFlush(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	if err := provider.Shutdown(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
