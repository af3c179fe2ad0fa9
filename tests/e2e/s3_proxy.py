"""A proxy before an S3 that makes requests fail: {"match": pattern of method and path, "action": ..., "times": n, "skip": n}.

Actions: `refuse` with a status, `lose_before` and `lose_after` close the connection without an answer, `hold` keeps a request until
the faults change and then loses it.
"""
import http.client
import http.server
import re
import socket
import threading


class S3Proxy:
    def __init__(self, port):
        self.behind, self.rules, self.held, self.lock = port, [], 0, threading.Lock()
        self.changed = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads, self.server.proxy = True, self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def faults(self, *rules):
        with self.lock:
            self.rules = [{"times": 1, "skip": 0, **rule} for rule in rules]
            self.held = 0
            self.changed.set()
            self.changed = threading.Event()

    def fault(self, line):
        with self.lock:
            for rule in self.rules:
                if rule["times"] > 0 and re.search(rule["match"], line):
                    if rule["skip"] > 0:
                        rule["skip"] -= 1
                        return {}
                    rule["times"] -= 1
                    if rule["action"] == "hold":
                        self.held += 1
                        return {**rule, "until": self.changed}
                    return rule
            return {}

    def stop(self):
        self.faults()
        self.server.shutdown()
        self.server.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def serve(self):
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = proxy.fault(f"{self.command} {self.path}")
        action = fault.get("action")
        if action == "hold":
            fault["until"].wait(60)
        if action in ("hold", "lose_before"):
            return self.lose()
        if action == "refuse":
            return self.answer(fault["status"], [], b"<Error><Code>Made</Code><Message>made to fail</Message></Error>")
        behind = http.client.HTTPConnection("127.0.0.1", proxy.behind, timeout=60)
        try:
            # The signature holds for the host the client asked, so headers stay as they are.
            behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                behind.putheader(name, value)
            behind.endheaders(body)
            answer = behind.getresponse()
            status, headers, data = answer.status, answer.getheaders(), answer.read()
        except OSError:
            return self.lose()
        finally:
            behind.close()
        if action == "lose_after":
            return self.lose()
        self.answer(status, headers, data)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = serve

    def answer(self, status, headers, data):
        self.send_response_only(status)
        own = {"content-length", "transfer-encoding", "connection"}
        for name, value in headers:
            if name.lower() not in own or (self.command == "HEAD" and name.lower() == "content-length"):
                self.send_header(name, value)
        if self.command != "HEAD" and status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def lose(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
