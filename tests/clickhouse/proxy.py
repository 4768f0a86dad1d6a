"""A TCP proxy that cuts connections in the middle."""
import random
import socket
import threading


class Connection:
    """What the two directions have in common."""

    def __init__(self, budget):
        self.left = [budget]
        self.inserting = False


class Proxy:
    """Passes connections on to a port of loopback. While cutting, connections end after 10 to a million bytes, which may
    fall into a request or into a reply; the numbers come from the seed. While losing, the server gets each insert whole,
    and its reply never arrives."""

    def __init__(self, port, seed, cutting=True):
        self.target = port
        self.random = random.Random(seed)
        self.cutting = cutting
        self.losing = False
        self.cuts = self.requests = self.lost = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            budget = int(10 ** self.random.uniform(1, 6)) if self.cutting else 10**12
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            state = Connection(budget)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=(source, sink, state, source is client), daemon=True).start()

    def pump(self, source, sink, state, is_request):
        left = state.left
        try:
            while data := source.recv(65536):
                if is_request and data.startswith(b"POST "):
                    self.requests += 1
                    state.inserting = b"INSERT" in data.split(b"\r\n", 1)[0]
                if not is_request and state.inserting and self.losing:
                    self.lost += 1
                    break
                data, cut = data[: left[0]], len(data) >= left[0]
                left[0] -= len(data)
                sink.sendall(data)
                if cut:
                    self.cuts += 1
                    break
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
