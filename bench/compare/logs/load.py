"""Sends ready-made requests over some connections, each the next when the last is answered."""

import selectors
import socket
import time


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pieces, self.answer, self.begun = [], b"", 0.0

    def begin(self, head, body):
        self.pieces, self.answer, self.begun = [memoryview(head), memoryview(body)], b"", time.perf_counter()

    def send(self):
        """Sends what the socket takes. Returns whether all was sent."""
        while self.pieces:
            try:
                sent = self.socket.sendmsg(self.pieces)
            except BlockingIOError:
                return False
            while self.pieces and sent >= len(self.pieces[0]):
                sent -= len(self.pieces.pop(0))
            if self.pieces and sent:
                self.pieces[0] = self.pieces[0][sent:]
        return True

    def receive(self):
        """The status and body of the answer, if it is whole."""
        try:
            piece = self.socket.recv(1 << 20)
        except BlockingIOError:
            return None
        if not piece:
            raise RuntimeError(f"connection closed in the middle of an answer: {self.answer[:300]}")
        self.answer += piece
        head, end, body = self.answer.partition(b"\r\n\r\n")
        if not end:
            return None
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if fields.get(b"transfer-encoding") == b"chunked":
            whole = body.endswith(b"0\r\n\r\n")
        else:
            whole = len(body) >= int(fields.get(b"content-length", 0))
        return (int(head.split(b" ", 2)[1]), body) if whole else None


def send(port, path, headers, bodies, connections=16):
    """Sends all bodies. Returns the seconds, the latency of each request, and the CPU of the sender.

    Any answer that is not a success ends it, and so does one of a bulk request with errors.
    """
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{fields}Content-Length: "
    waiting = iter(bodies)
    selector = selectors.DefaultSelector()
    latencies, open_connections = [], 0
    cpu, begun = time.process_time(), time.perf_counter()

    def next_request(connection):
        body = next(waiting, None)
        if body is None:
            selector.unregister(connection.socket)
            connection.socket.close()
            return False
        connection.begin((head + f"{len(body)}\r\n\r\n").encode(), body)
        wanted = selectors.EVENT_READ if connection.send() else selectors.EVENT_WRITE
        selector.modify(connection.socket, wanted, connection)
        return True

    for _ in range(connections):
        connection = Connection(port)
        selector.register(connection.socket, selectors.EVENT_WRITE, connection)
        open_connections += next_request(connection)
    while open_connections:
        for key, events in selector.select(120) or [(None, 0)]:
            if key is None:
                raise RuntimeError("no answer for 120 s")
            connection = key.data
            if events & selectors.EVENT_WRITE:
                if connection.send():
                    selector.modify(connection.socket, selectors.EVENT_READ, connection)
            elif answer := connection.receive():
                latencies.append(time.perf_counter() - connection.begun)
                status, body = answer
                if status >= 300 or b'"errors":true' in body[:200]:
                    raise RuntimeError(f"{path} is answered with {status}: {body[:500]}")
                open_connections -= not next_request(connection)
    return time.perf_counter() - begun, latencies, time.process_time() - cpu
