"""ClickHouse's HTTP interface over the ClickHouse engine of the PyPI package chdb-core: `clickhouse_http.py HOST PORT FOLDER [CONFIG]`.

What a server does with a request is done here as the server does it: user and database, settings in the query string,
`query` in the query string with data as the body or tables of the request's own in a multipart body, any FORMAT, exceptions with
their code in a header. `POST /_fault` makes a coming request fail: {"match": text in its SQL, "action": ..., "times": n}.
"""
import contextlib
import http.server
import json
import os
import re
import sys
import tempfile
import time
import urllib.parse

import chdb

USERS = {"default": "", "spark": "secret"}
# Parameters of the interface itself; all others are settings.
OWN = {"query", "database", "user", "password", "default_format", "query_id", "session_id", "wait_end_of_query",
       "send_progress_in_http_headers", "compress", "decompress", "enable_http_compression"}
INSERT = re.compile(r"\s*(INSERT\s+INTO\s+.*?)\s+FORMAT\s+(\w+)\s*$", re.IGNORECASE | re.DOTALL)


class Engine:
    def __init__(self, folder, config):
        self.folder = f"{folder}?config-file={config}" if config else folder
        # Keeps the engine, of which a process has one.
        self.first = chdb.connect(self.folder)
        self.faults = []
        self.log = []

    def run(self, sql, database, settings, fmt, tables=()):
        """The answer's bytes. Every query has a connection of its own, and with it its database, settings and `tables`: names,
        columns, formats and files."""
        self.log.append(sql)
        connection = chdb.connect(self.folder)
        try:
            connection.query(f"USE `{database}`")
            for name, value in settings.items():
                connection.query(f"SET {name} = '{escape(value)}'")
            for name, structure, kind, file in tables:
                connection.query(f"CREATE TEMPORARY TABLE `{name}` ({structure})")
                connection.query(f"INSERT INTO `{name}` FROM INFILE '{file}' FORMAT {kind}")
            answer = connection.query(sql, fmt)
            return answer.bytes() if answer is not None else b""
        finally:
            connection.close()

    def fault(self, sql):
        for fault in self.faults:
            if fault["times"] > 0 and fault["match"] in sql:
                if fault.get("skip", 0) > 0:
                    fault["skip"] -= 1
                    return None
                fault["times"] -= 1
                return fault
        return None


def escape(text):
    return text.replace("\\", "\\\\").replace("'", "\\'")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of an answer are sent apart; a client's kernel would let the second wait for 40 ms.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/ping":
            return self.answer(200, b"Ok.\n")
        self.do_POST()

    def do_POST(self):
        body = self.body()
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/_fault":
            self.server.engine.faults = json.loads(body)
            return self.answer(200, b"")
        if url.path == "/_faults":
            return self.answer(200, json.dumps(self.server.engine.faults).encode())
        if url.path == "/_log":
            log, self.server.engine.log = self.server.engine.log, []
            return self.answer(200, json.dumps(log).encode())
        parameters = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        user = self.headers.get("X-ClickHouse-User") or parameters.get("user") or "default"
        password = self.headers.get("X-ClickHouse-Key") or parameters.get("password") or ""
        if USERS.get(user) != password:
            return self.refuse(516, f"{user}: Authentication failed: password is incorrect, or there is no user with "
                                    "such name. (AUTHENTICATION_FAILED)", 403)
        settings = {name: value for name, value in parameters.items() if name not in OWN}
        database = self.headers.get("X-ClickHouse-Database") or parameters.get("database") or "default"
        sql, data = parameters.get("query"), body
        if sql is None:
            sql, data = body.decode(), None
        fault = self.server.engine.fault(sql) or {}
        action = fault.get("action")
        if action == "refuse":
            return self.refuse(fault["code"], "made to fail (FAULT)")
        if action == "lose_before":
            return self.drop()
        if action == "die":
            os._exit(9)
        if action == "sleep":
            time.sleep(fault["seconds"])
        fmt = parameters.get("default_format", "TabSeparated")
        try:
            if self.headers.get_content_type() == "multipart/form-data":
                answer = self.run_with_tables(sql, data, database, settings, fmt)
            else:
                answer = self.run(sql, data, database, settings, fmt)
        except Exception as error:
            message = str(error)
            code = re.search(r"Code: (\d+)", message)
            return self.refuse(int(code.group(1)) if code else 1000, message[message.find("DB::Exception: ") + 15:])
        if action == "lose_after":
            return self.drop()
        if action == "late":
            # As a server whose query fails after the answer has begun.
            text = "Code: 241. DB::Exception: made to fail late. (MEMORY_LIMIT_EXCEEDED)\n"
            return self.answer(200, answer[: len(answer) // 2] + text.encode())
        if action == "cut":
            return self.answer(200, answer[:-8])
        self.answer(200, answer)

    def run(self, sql, data, database, settings, fmt):
        insert = INSERT.match(sql) if data is not None else None
        if insert is None:
            return self.server.engine.run(sql if data is None else sql + " " + data.decode(), database, settings, fmt)
        with tempfile.NamedTemporaryFile(dir=self.server.folder) as file:
            file.write(data)
            file.flush()
            query = f"{insert.group(1)} FROM INFILE '{file.name}' FORMAT {insert.group(2)}"
            return self.server.engine.run(query, database, settings, fmt)

    def run_with_tables(self, sql, data, database, settings, fmt):
        boundary = b"--" + self.headers.get_param("boundary").encode()
        with contextlib.ExitStack() as stack:
            tables = []
            for part in data.split(boundary)[1:-1]:
                head, content = part.split(b"\r\n\r\n", 1)
                name = re.search(rb' name="(\w+)"', head).group(1).decode()
                file = stack.enter_context(tempfile.NamedTemporaryFile(dir=self.server.folder))
                file.write(content.removesuffix(b"\r\n"))
                file.flush()
                tables.append((name, settings.pop(f"{name}_structure"), settings.pop(f"{name}_format"), file.name))
            return self.server.engine.run(sql, database, settings, fmt, tables)

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def refuse(self, code, message, status=500):
        text = f"Code: {code}. DB::Exception: {message}\n".encode()
        self.answer(404 if code == 60 else status, text, {"X-ClickHouse-Exception-Code": str(code)})

    def answer(self, status, body, headers=None):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "X-ClickHouse-Summary": "{}", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def drop(self):
        self.close_connection = True
        self.connection.close()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


def main():
    host, port, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    os.makedirs(os.path.join(folder, "bodies"), exist_ok=True)
    server = Server((host, port), Handler)
    server.folder = os.path.join(folder, "bodies")
    server.engine = Engine(os.path.join(folder, "data"), sys.argv[4] if len(sys.argv) > 4 else None)
    server.serve_forever()


if __name__ == "__main__":
    main()
