"""A relay between a client and a server, which reads every request and can spoil one of them."""

import gzip
import hashlib
import http.client
import json
import socket
import threading
import zlib


class Message:
    """A request or an answer, with the bytes that it came in."""

    def __init__(self, start, fields, body, raw):
        self.start, self.fields, self.body, self.raw = start, fields, body, raw

    def content(self):
        encoding = self.fields.get("content-encoding", "")
        if encoding == "gzip":
            return gzip.decompress(self.body)
        return zlib.decompress(self.body) if encoding == "deflate" else self.body

    def closes(self):
        return self.fields.get("connection", "").lower() == "close" or self.start.endswith("HTTP/1.0")


def read_message(file, bodiless=False, on_continue=None):
    """The next message, or None at the end."""
    start = file.readline()
    if not start.strip():
        return None
    raw, fields = start, {}
    while (line := file.readline()).strip():
        name, _, value = line.decode("latin-1").partition(":")
        fields[name.strip().lower()] = value.strip()
        # The relay answers this itself.
        if name.lower() != "expect":
            raw += line
    raw += b"\r\n"
    if on_continue and fields.get("expect"):
        on_continue()
    body = b""
    if not bodiless:
        if fields.get("transfer-encoding", "").lower() == "chunked":
            while True:
                line = file.readline()
                size = int(line.split(b";")[0], 16)
                piece = file.read(size)
                end = file.readline()
                raw += line + piece + end
                body += piece
                if size == 0:
                    break
        else:
            length = int(fields.get("content-length", 0))
            body = file.read(length)
            if len(body) < length:
                return None
            raw += body
    return Message(start.decode("latin-1").strip(), fields, body, raw)


class Relay:
    """Passes messages on.

    `spoil` is None or "kill": the server is killed when it has stored the events of a request and
    answers, the client's connection is closed without that answer, and the server starts again; or
    an overload in the words of a protocol: the first request with events gets that answer, and does
    not reach the server.
    """

    def __init__(self, server, spoil=None):
        self.server, self.spoil = server, spoil
        self.lock = threading.Lock()
        # Requests with events: hash of the content, encoding, whether it was spoilt.
        self.requests = []
        self.statuses = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def close(self):
        # Closing alone does not wake the thread that accepts.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self, client):
        upstream = None
        try:
            requests = client.makefile("rb")
            proceed = lambda: client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            while request := read_message(requests, on_continue=proceed):
                if upstream is None:
                    with self.lock:
                        upstream = socket.create_connection(("127.0.0.1", self.server.port))
                    answers = upstream.makefile("rb")
                answer = self.passed_on(request, upstream, answers)
                if answer is None:
                    break
                client.sendall(answer)
                if request.closes():
                    break
        except (OSError, ValueError):
            pass
        for end in (client, upstream):
            if end:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()

    def passed_on(self, request, upstream, answers):
        """The bytes of the answer, or None if the connection is to be closed without one."""
        verb = request.start.split(" ")[0]
        note = None
        if verb in ("POST", "PUT") and request.body:
            content = request.content()
            note = {"hash": hashlib.sha256(content).hexdigest(), "bytes": len(content), "spoilt": False,
                    "encoding": request.fields.get("content-encoding", "")}
            with self.lock:
                self.requests.append(note)
                overloads = self.spoil not in (None, "kill")
                if overloads:
                    words, self.spoil = self.spoil, None
                    note["spoilt"] = True
            if overloads:
                return overload(words, content)
        upstream.sendall(request.raw)
        answer = read_message(answers, bodiless=verb == "HEAD")
        if answer is None:
            return None
        if note:
            with self.lock:
                self.statuses.append(int(answer.start.split(" ")[1]))
                if self.spoil == "kill" and self.server.stats()["received"] > 0:
                    self.spoil = None
                    note["spoilt"] = True
                    self.server.kill()
                    self.server.start()
                    return None
        return answer.raw

    def retry(self):
        """How the spoilt request came again."""
        spoilt = next((n for n, note in enumerate(self.requests) if note["spoilt"]), None)
        if spoilt is None:
            return None
        later = self.requests[spoilt + 1:]
        if any(note["hash"] == self.requests[spoilt]["hash"] for note in later):
            return "the same bytes"
        return "other bytes" if later else "none"


def overload(words, content):
    """An answer as the server gives it when there is no room; tests of the server hold its words."""
    if words == "silence":
        return None
    status, fields, value = 503, "Retry-After: 1\r\n", {}
    if words == "items":
        status, fields, items, lines = 200, "", [], content.splitlines()
        refused = {"status": 429, "error": {"type": "es_rejected_execution_exception",
                                            "reason": "too much is waiting; nothing was stored, send it again"}}
        for line in lines[0::2]:
            verb, meta = next(iter(json.loads(line).items()))
            items.append({verb: {"_index": meta.get("_index"), "_id": meta.get("_id"), **refused}})
        value = {"took": 1, "errors": True, "items": items}
    elif words == "hec":
        value = {"text": "Server is busy", "code": 9}
    elif words == "429":
        status, value = 429, {"error": "overloaded"}
    elif words == "otlp":
        value = {"code": 14, "message": "too much is waiting; send it again"}
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 {status} {http.client.responses[status]}\r\nContent-Type: application/json\r\n{fields}" \
        f"X-Elastic-Product: Elasticsearch\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
