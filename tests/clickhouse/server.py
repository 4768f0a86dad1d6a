"""clickhouse-server processes for tests: each with its own folder and free ports on loopback, ended by pid."""
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

DEADLINE = 60


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def wait_until(true, what):
    """Polls; a test that waits longer than the deadline fails."""
    end = time.monotonic() + DEADLINE
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"waited {DEADLINE} s for {what}")
        time.sleep(0.02)


class SqlError(Exception):
    pass


class Server:
    """One server; shards: all of the cluster "weir", this one among them."""

    started = []  # to be stopped at the end of a test

    def __init__(self, folder, password=None):
        self.folder = folder
        self.http, self.tcp, self.interserver = free_ports(3)
        self.password = password
        self.shards = [self]
        self.process = None

    def write_config(self):
        shards = "".join(
            f"<shard><replica><host>127.0.0.1</host><port>{s.tcp}</port></replica></shard>" for s in self.shards
        )
        users = "<password></password>" if self.password is None else f"<password>{self.password}</password>"
        os.makedirs(f"{self.folder}/data", exist_ok=True)
        with open(f"{self.folder}/config.xml", "w") as f:
            f.write(
                f"""<yandex>
  <logger><level>warning</level><log>{self.folder}/log</log><errorlog>{self.folder}/err</errorlog></logger>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{self.http}</http_port><tcp_port>{self.tcp}</tcp_port>
  <interserver_http_port>{self.interserver}</interserver_http_port>
  <path>{self.folder}/data/</path><tmp_path>{self.folder}/tmp/</tmp_path>
  <users_config>{self.folder}/users.xml</users_config>
  <default_profile>default</default_profile><default_database>default</default_database>
  <mark_cache_size>67108864</mark_cache_size><max_concurrent_queries>100</max_concurrent_queries>
  <remote_servers><weir>{shards}</weir></remote_servers>
</yandex>"""
            )
        with open(f"{self.folder}/users.xml", "w") as f:
            f.write(
                f"""<yandex>
  <profiles><default><max_memory_usage>2000000000</max_memory_usage></default></profiles>
  <users><default>{users}<networks><ip>127.0.0.1</ip></networks>
    <profile>default</profile><quota>default</quota></default></users>
  <quotas><default/></quotas>
</yandex>"""
            )

    def start(self):
        self.write_config()
        Server.started.append(self)
        self.process = subprocess.Popen(
            ["clickhouse-server", f"--config-file={self.folder}/config.xml"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder,
        )
        wait_until(self.answers, "clickhouse-server to answer")
        return self

    def answers(self):
        if self.process.poll() is not None:
            errors = open(f"{self.folder}/err").read() if os.path.exists(f"{self.folder}/err") else ""
            raise AssertionError(f"clickhouse-server ended with {self.process.returncode}\n{errors[-2000:]}")
        try:
            return self.sql("SELECT 1", timeout=2) == "1\n"
        except (OSError, SqlError):
            return False

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)  # works on a stopped process, too
        self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def url(self, path, **params):
        if self.password is not None:
            params |= {"user": "default", "password": self.password}
        return f"http://127.0.0.1:{self.http}{path}?{urllib.parse.urlencode(params)}"

    def sql(self, query, timeout=DEADLINE, **settings):
        request = urllib.request.Request(self.url("/", **settings), data=query.encode())
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.read().decode("utf-8", "surrogateescape")
        except urllib.error.HTTPError as error:
            raise SqlError(error.read().decode()) from None

    def rows(self, query):
        text = self.sql(f"{query} FORMAT JSONEachRow", output_format_json_quote_64bit_integers=0)
        return [json.loads(line) for line in text.splitlines()]

    def tables(self, database):
        return [r["name"] for r in self.rows(f"SELECT name FROM system.tables WHERE database = '{database}'")]
