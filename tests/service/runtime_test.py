"""The process model with the echo daemon: master, porter, fork server and workers for real.

usage: runtime_test.py BIN [test names]     BIN: directory with master, porter and echod
"""
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

BIN = None
PORT = 13101
PATIENCE = 20  # seconds until something that must happen counts as missing


class Server:
    """A master with one service of echod in a folder of its own."""

    def __init__(self, *settings):
        self.folder = Path(tempfile.mkdtemp(prefix="postern-service-"))
        self.folder.chmod(0o755)
        self.config = self.folder / "postern.toml"
        self.write_config(*settings)
        self.log = open(self.folder / "log", "wb")
        self.start_master()
        try:
            wait_for(lambda: self.try_connect(self.folder / "run/echo"), "a greeting")
        except AssertionError:
            self.stop()
            raise

    def programs(self):
        """The folder of the programs; a copy where the daemons' user can't reach the build."""
        if all(folder.stat().st_mode & 1 for folder in [BIN, *BIN.resolve().parents]):
            return BIN
        copies = self.folder / "bin"
        if not copies.exists():
            copies.mkdir(mode=0o755)
            for name in ("master", "porter", "metad", "echod", "transportd"):
                if (BIN / name).exists():
                    shutil.copy(BIN / name, copies)
        return copies

    def start_master(self):
        self.master = subprocess.Popen([self.programs() / "master", "--config", self.config],
                                       stdout=self.log, stderr=self.log, start_new_session=True)

    def write_config(self, *settings):
        lines = {
            "server.runtime_directory": self.folder / "run", "meta.directory": self.folder / "meta",
            "auth.sasldb": self.folder / "auth/db", "partition.default.path": self.folder / "spool",
            "log.target": "stderr", "service.echo.daemon": "echod",
            "service.echo.min_spare": "2", "service.echo.linger": "0",
        }
        lines.update(setting.split("=", 1) for setting in settings)
        text = "".join(f"{key} = {value}\n" if str(value).startswith("[") else f'{key} = "{value}"\n'
                       for key, value in lines.items())
        text += f'service.echo.listen = ["127.0.0.1:{PORT}", "unix:{self.folder}/run/echo"]\n'
        self.config.write_text(text)

    def try_connect(self, path=None):
        try:
            Client(path).close()
            return True
        except OSError:
            return False

    def processes(self, program):
        """Process ids of the instance's `program`, oldest first."""
        out = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if str(self.config).encode() in words and words[0].endswith(b"/" + program.encode()):
                    out.append(int(entry.name))
            except OSError:
                pass
        return sorted(out)

    def parent(self, pid):
        try:
            return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            return None

    def porter(self):
        """(keeper, the process with the connections); None for one that is just replaced."""
        keeper = holder = None
        for pid in self.processes("porter"):
            parent = self.parent(pid)
            if parent == self.master.pid:
                keeper = pid
            elif parent:
                holder = pid
        return keeper, holder

    def porters(self):
        """porter() once both are there."""
        pair = []
        wait_for(lambda: pair.append(self.porter()) or all(pair[-1]), "a pair of porters")
        return pair[-1]

    def fork_servers(self):
        return [pid for pid in self.processes("echod")
                if any(self.parent(other) == pid for other in self.processes("echod"))]

    def log_text(self):
        return (self.folder / "log").read_text(errors="replace")

    def stop_master(self):
        if self.master.poll() is None:
            self.master.send_signal(signal.SIGTERM)
            try:
                self.master.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.master.kill()
                self.master.wait()

    def stop(self):
        self.stop_master()
        self.log.close()
        if os.environ.get("KEEP_LOG"):
            shutil.copy(self.folder / "log", os.environ["KEEP_LOG"])
        left = [pid for name in ("echod", "porter") for pid in self.processes(name)]
        shutil.rmtree(self.folder)
        return left


class Client:
    def __init__(self, path=None):
        if path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(PATIENCE)
            self.socket.connect(str(path))
        else:
            self.socket = socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE)
        self.buffer = b""
        try:
            self.greeting = self.line()
            if not self.greeting.startswith("* hello"):
                raise OSError(self.greeting)
        except Exception:
            self.socket.close()
            raise

    def send(self, text):
        self.socket.sendall(text.encode())

    def line(self):
        while b"\n" not in self.buffer:
            got = self.socket.recv(65536)
            if not got:
                raise EOFError("the server closed the connection")
            self.buffer += got
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r").decode()

    def ask(self, text):
        self.send(text + "\r\n")
        return self.line()

    def close(self):
        self.socket.close()


def ask_once(text, answers=1):
    """The last of the answers of a session of its own."""
    client = Client()
    try:
        client.send(text + "\r\n")
        return [client.line() for _ in range(answers)][-1]
    finally:
        client.close()


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come")
        time.sleep(0.01)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class RuntimeTest(unittest.TestCase):
    settings = ()

    def setUp(self):
        self.server = Server(*self.settings)
        self.clients = []
        self.addCleanup(self.end)

    def end(self):
        for client in self.clients:
            client.close()
        text = self.server.log_text()
        left = self.server.stop()
        self.assertEqual(left, [], "processes outlived master")
        for word in ("assertion", "porter.bad", "worker.bad"):
            self.assertNotIn(word, text)

    def client(self, *args):
        client = Client(*args)
        self.clients.append(client)
        return client


class Parking(RuntimeTest):
    def test_a_session_keeps_its_state_from_worker_to_worker(self):
        client = self.client()
        workers = set()
        for number in range(1, 60, 2):
            self.assertEqual(client.ask("COUNT"), str(number))
            workers.add(client.ask("PID"))
            self.client().ask("ECHO x")  # others move the stack of idle workers
        self.assertNotIn("session.lost", self.server.log_text())

    def test_pipelined_input_split_at_random_is_answered_in_order(self):
        generator = random.Random(4711)
        client = self.client(self.server.folder / "run/echo")
        client.ask("LOGIN anna")
        text = "".join(f"ECHO {number}\r\n" for number in range(2000)).encode()
        at = 0
        while at < len(text):
            size = generator.choice((1, 2, 7, 50, 1000))
            client.socket.sendall(text[at:at + size])
            at += size
            if generator.random() < 0.3:
                time.sleep(0.001)
        self.assertEqual([client.line() for _ in range(2000)], [str(n) for n in range(2000)])

    def test_records_up_to_the_limit_are_kept(self):
        client = self.client()
        for size in (0, 100, 64, 5000, 60000, 1):
            self.assertEqual(client.ask(f"GROW {size}"), "grown")
            self.assertEqual(client.ask("ECHO still"), "still")

    def test_half_a_line_before_login_wakes_nobody(self):
        slow = [self.client() for _ in range(50)]
        for octet in "ECHO slow":
            for client in slow:
                client.send(octet)
        self.assertEqual(self.client().ask("ECHO quick"), "quick")
        for client in slow:
            client.send("\r\n")
        self.assertEqual({client.line() for client in slow}, {"slow"})

    def test_unanswered_lines_of_a_client_that_stops_sending_are_answered(self):
        client = self.client()
        client.send("ECHO one\r\nECHO two\r\n")
        client.socket.shutdown(socket.SHUT_WR)
        self.assertEqual((client.line(), client.line()), ("one", "two"))
        self.assertRaises(EOFError, client.line)

    def test_a_change_is_told_to_a_thousand_parked_sessions(self):
        watchers = [self.client() for _ in range(1000)]
        for client in watchers:
            client.send("WATCH 77\r\n")
        for client in watchers:
            self.assertEqual(client.line(), "watching")
        time.sleep(0.3)  # let them be quiet, so that the figure is that of parked ones
        actor = self.client()
        began = time.monotonic()
        self.assertEqual(actor.ask("BUMP 77"), "bumped")
        self.assertEqual({client.line() for client in watchers}, {"CHANGED 1"})
        print(f"1,000 parked sessions told in {1000 * (time.monotonic() - began):.0f} ms",
              file=sys.stderr)

    def test_changes_while_a_session_is_on_its_way_are_not_missed(self):
        watcher, actor = self.client(), self.client()
        watcher.ask("WATCH 5")
        seen = 0
        for number in range(1, 40):
            actor.ask("BUMP 5")
            if number % 3 == 0:
                watcher.send("ECHO between\r\n")
        while seen < 39:
            line = watcher.line()
            if line.startswith("CHANGED"):
                seen = int(line.split()[1])


class Times(RuntimeTest):
    settings = ("service.echo.login_timeout=3s", "auth.failure_delay=200ms")

    def test_login_timeout_ends_only_who_did_not_log_in(self):
        silent, logged_in = self.client(), self.client()
        self.assertEqual(logged_in.ask("LOGIN anna"), "ok")
        self.assertEqual(silent.line(), "* BYE login timeout")
        self.assertEqual(logged_in.ask("ECHO here"), "here")

    def test_autologout_and_keepalive(self):
        client = self.client()
        client.ask("LOGIN anna")
        client.ask("KEEPALIVE 100")
        client.ask("TIMEOUT 450")
        lines = [client.line() for _ in range(5)]
        self.assertEqual(lines, ["* still here"] * 4 + ["* BYE timeout"])

    def test_delay_of_failed_logins_doubles_in_all_workers_and_is_parked(self):
        for expected in (200, 400, 800):
            client = self.client()
            began = time.monotonic()
            client.send("WRONG bob\r\nECHO after\r\n")
            self.assertEqual(client.line(), f"wrong {expected}")
            self.assertGreaterEqual(time.monotonic() - began, expected / 1000 - 0.01)
            self.assertEqual(client.line(), "after")
        self.assertEqual(self.client().ask("LOGIN bob"), "ok")
        self.assertEqual(self.client().ask("WRONG bob"), "wrong 200")


class Limits(RuntimeTest):
    settings = ("service.echo.max_per_user=3", "service.echo.max_connections=20",
                "service.echo.max_active_per_user=2", "service.echo.max_workers=6")

    def test_the_oldest_idle_session_of_a_user_goes(self):
        sessions = [self.client() for _ in range(4)]
        for client in sessions:
            self.assertEqual(client.ask("LOGIN anna"), "ok")
        self.assertEqual(sessions[0].line(), "* BYE too many")
        self.assertEqual([client.ask("ECHO x") for client in sessions[1:]], ["x"] * 3)
        self.assertIn("service.echo.max_per_user", self.server.log_text())

    def test_connections_over_the_limit_are_told(self):
        self.fill()
        self.assertRaisesRegex(OSError, "BYE too many", Client)
        self.clients.pop().close()
        wait_for(self.server.try_connect, "room for a connection")

    def fill(self):
        def one_more():
            with contextlib.suppress(OSError):  # the connection of the start may still count
                self.client()
            return len(self.clients) == 20
        wait_for(one_more, "twenty connections")

    def test_a_user_keeps_no_more_workers_busy_than_allowed(self):
        busy = [self.client() for _ in range(3)]
        for client in busy:
            client.ask("LOGIN anna")
        began = time.monotonic()
        for client in busy:
            client.send("SLEEP 1000\r\n")
        other = self.client()
        self.assertEqual(other.ask("ECHO at once"), "at once")
        self.assertLess(time.monotonic() - began, 1)
        self.assertEqual([(client.line(), client.line()) for client in busy],
                         [("sleeping", "slept")] * 3)
        self.assertGreater(time.monotonic() - began, 1.99)


class Behind(Client):
    """A client of `address` behind a load balancer."""

    def __init__(self, address):
        self.socket = socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE)
        self.buffer = b""
        kind, local = ("TCP6", "2001:db8::1") if ":" in address else ("TCP4", "198.51.100.1")
        self.send(f"PROXY {kind} {address} {local} 4000 143\r\n")
        try:
            self.greeting = self.line()
        except Exception:
            self.socket.close()
            raise


class Addresses(RuntimeTest):
    settings = ('service.echo.proxy_networks=["127.0.0.0/8"]', "service.echo.max_per_address=3",
                'service.echo.allow_networks=["192.0.2.0/24", "2001:db8::/32", "unix"]',
                'service.echo.deny_networks=["192.0.2.66", "2001:db8:bad::/48"]')

    def setUp(self):
        self.server = Server.__new__(Server)  # a plain connection doesn't get in here
        self.server.try_connect = lambda *_: bool(self.try_behind("192.0.2.200"))
        self.server.__init__(*self.settings)
        self.clients = []
        self.addCleanup(self.end)

    def try_behind(self, address):
        """The greeting, or None."""
        try:
            client = Behind(address)
        except (OSError, EOFError):
            return None
        client.close()
        return client.greeting

    def behind(self, address):
        client = Behind(address)
        self.clients.append(client)
        return client.greeting

    def test_only_networks_that_are_allowed_and_not_denied_come_in(self):
        for address in ("192.0.2.1", "2001:db8::77"):
            self.assertEqual(self.try_behind(address), "* hello")
        for address in ("192.0.2.66", "203.0.113.1", "2001:db8:bad::1", "2001:db9::1"):
            self.assertIsNone(self.try_behind(address), address)
        self.assertEqual(self.client(self.server.folder / "run/echo").greeting, "* hello loopback")
        for option in ("deny_networks", "allow_networks"):  # a flood of one hides no other
            wait_for(lambda: f"option=service.echo.{option}" in self.server.log_text(), option)

    def test_an_ipv4_address_has_a_limit_of_its_own(self):
        for _ in range(3):
            self.assertEqual(self.behind("192.0.2.1"), "* hello")
        self.assertEqual(self.behind("192.0.2.1"), "* BYE too many")
        self.assertEqual(self.behind("192.0.2.2"), "* hello")
        wait_for(lambda: "option=service.echo.max_per_address" in self.server.log_text(), "the line")
        self.clients[0].close()
        wait_for(lambda: self.try_behind("192.0.2.1") == "* hello", "room again")

    def test_an_ipv6_network_of_64_bits_counts_as_one_address(self):
        for host in ("::1", "::2", ":1:2:3:4"):
            self.assertEqual(self.behind(f"2001:db8:0:1{host}"), "* hello")
        self.assertEqual(self.behind("2001:db8:0:1:ffff::9"), "* BYE too many")
        self.assertEqual(self.behind("2001:db8:0:2::1"), "* hello")

    def test_a_list_that_is_none_is_refused_by_name(self):
        self.server.write_config('service.echo.deny_networks=["192.0.2.0/33"]')
        self.server.master.send_signal(signal.SIGHUP)
        wait_for(lambda: "service.echo.deny_networks" in self.server.log_text(), "the error")
        self.assertIn("master.reload_failed", self.server.log_text())


class Recycling(RuntimeTest):
    settings = ("service.echo.max_sessions=5", "service.echo.max_workers=6")

    def test_a_worker_is_replaced_after_its_sessions(self):
        served = [ask_once("PID") for _ in range(40)]
        self.assertLessEqual(max(served.count(pid) for pid in served), 5)


class Growth(RuntimeTest):
    settings = ("service.echo.max_growth=4MiB",)

    def test_a_worker_that_has_grown_is_replaced(self):
        seen = set()

        def one_is_gone():
            seen.add(ask_once("LEAK 200000\r\nPID", answers=2))  # in one packet, so by one worker
            return any(not Path(f"/proc/{pid}").exists() for pid in seen)
        wait_for(one_is_gone, "the end of a grown worker")
        self.assertNotIn("worker.died", self.server.log_text())


class SlowPeers(RuntimeTest):
    settings = ("service.echo.command_timeout=1s", "service.echo.write_timeout=1s",
                "service.echo.max_workers=2", "service.echo.min_spare=1")

    def test_a_command_that_is_not_finished_in_time_ends_the_session(self):
        client, other = self.client(), self.client()
        client.ask("LOGIN anna")
        client.send("ECHO half a li")
        self.assertRaises(EOFError, client.line)
        self.assertEqual(other.ask("ECHO x"), "x")  # who is quiet at a boundary stays

    def test_a_client_that_stops_reading_is_cut_off(self):
        deaf = [self.client() for _ in range(2)]  # as many as there are workers
        for client in deaf:
            client.ask("LOGIN anna")
            client.socket.setblocking(False)

        def is_cut_off(client):
            try:
                while True:
                    client.socket.send(b"ECHO " + 900 * b"x" + b"\r\n")
            except BlockingIOError:
                return False
            except OSError:
                return True
        for client in deaf:
            wait_for(lambda: is_cut_off(client), "the end of a client that doesn't read")
        self.assertEqual(self.client().ask("ECHO x"), "x")


class Pipelines(RuntimeTest):
    settings = ("service.echo.max_pipelined=10", "service.echo.max_workers=1",
                "service.echo.min_spare=1", "service.echo.max_active_per_user=1")

    def greedy(self, user=""):
        """A client that has sent 200 commands ahead, each of some milliseconds."""
        client = self.client()
        if user:
            client.ask(f"LOGIN {user}")
        client.send("".join(f"SLEEP 5\r\nECHO {number}\r\n" for number in range(200)))
        return client

    def answers(self, client):
        return [line for line in (client.line() for _ in range(600)) if line.isdigit()]

    def arrived(self, client):
        """Whether all answers of a greedy one are here already."""
        octets = client.socket.recv(1 << 20, socket.MSG_PEEK)
        return b"\r\n199\r\n" in octets

    def test_who_sends_ahead_lets_others_have_their_turn(self):
        greedy, other = self.greedy(), self.client()
        self.assertEqual([other.ask(f"ECHO {n}") for n in range(5)], ["0", "1", "2", "3", "4"])
        self.assertFalse(self.arrived(greedy), "the others were served last")
        self.assertEqual(self.answers(greedy), [str(number) for number in range(200)])

    def test_the_sessions_of_one_user_have_their_turns_too(self):
        greedy, other = self.greedy("anna"), self.client()
        other.ask("LOGIN anna")
        self.assertEqual(other.ask("ECHO x"), "x")
        self.assertFalse(self.arrived(greedy), "the other was served last")
        self.assertEqual(self.answers(greedy), [str(number) for number in range(200)])

    def test_what_was_sent_ahead_outlives_porter(self):
        greedy, other = self.greedy(), self.client()
        for number in range(12):
            other.send(f"ECHO {number}\r\n")
            os.kill(self.server.porters()[1], signal.SIGKILL)
            self.assertEqual(other.line(), str(number))
        self.assertEqual(self.answers(greedy), [str(number) for number in range(200)])


class Kick(RuntimeTest):
    def test_ends_all_sessions_of_the_user_and_no_other(self):
        quiet, busy, other = self.client(), self.client(), self.client()
        for client, user in ((quiet, "anna"), (busy, "anna"), (other, "bob")):
            client.ask(f"LOGIN {user}")
        self.assertEqual(busy.ask("SLEEP 500"), "sleeping")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
            control.connect(str(self.server.folder / "run/control"))
            control.send(b"kick anna")
            self.assertEqual(control.recv(100), b"ok")
        self.assertEqual(quiet.line(), "* BYE kicked")
        self.assertRaises(EOFError, quiet.line)
        with self.assertRaises((EOFError, ConnectionError)):
            while True:
                busy.line()
        self.assertEqual(other.ask("COUNT"), "2")
        self.assertEqual(self.client().ask("LOGIN anna"), "ok")  # it may come back


class Proxy(RuntimeTest):
    settings = ("log.level=debug", 'service.echo.proxy_networks=["127.0.0.0/8"]')

    def test_the_header_gives_the_address_and_may_come_in_pieces(self):
        with socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE) as connection:
            for piece in (b"PROXY TCP4 192.0.2.7 ", b"198.51.100.1 4000 143\r", b"\nECHO x\r\n"):
                connection.sendall(piece)
                time.sleep(0.02)
            with connection.makefile("rb") as lines:
                self.assertEqual(lines.readline(), b"* hello\r\n")  # no longer loopback
                self.assertEqual(lines.readline(), b"x\r\n")
        wait_for(lambda: "peer=192.0.2.7" in self.server.log_text(), "the client's address")
        with socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE) as connection:
            connection.sendall(b"ECHO no header\r\n")
            self.assertEqual(connection.recv(100), b"")


class Signals(RuntimeTest):
    def test_hup_replaces_workers_and_drops_nobody(self):
        sessions = [self.client() for _ in range(20)]
        before = set(self.server.processes("echod"))
        self.server.write_config("service.echo.min_spare=3")
        self.server.master.send_signal(signal.SIGHUP)
        wait_for(lambda: not before & set(self.server.processes("echod")), "new workers")
        self.assertEqual([client.ask("COUNT") for client in sessions], ["1"] * 20)

    def test_hup_with_a_broken_configuration_changes_nothing(self):
        before = self.server.processes("echod")
        self.server.config.write_text("nonsense = ")
        self.server.master.send_signal(signal.SIGHUP)
        wait_for(lambda: "master.reload_failed" in self.server.log_text(), "the log line")
        self.assertEqual(self.client().ask("ECHO x"), "x")
        self.assertLessEqual(set(before), set(self.server.processes("echod")))

    def test_term_says_goodbye(self):
        quiet, busy = self.client(), self.client()
        self.assertEqual(busy.ask("SLEEP 300"), "sleeping")
        self.server.master.send_signal(signal.SIGTERM)
        self.assertEqual(quiet.line(), "* BYE shutting down")
        self.assertEqual((busy.line(), busy.line()), ("slept", "* BYE shutting down"))
        self.assertEqual(self.server.master.wait(PATIENCE), 0)

    def test_quit_ends_everything_at_once(self):
        self.assertEqual(self.client().ask("SLEEP 5000"), "sleeping")
        self.server.master.send_signal(signal.SIGQUIT)
        self.assertEqual(self.server.master.wait(2), 0)
        wait_for(lambda: not self.server.processes("echod") + self.server.processes("porter"),
                 "the end of all")

    def test_a_second_master_is_refused(self):
        second = subprocess.run([BIN / "master", "--config", self.server.config],
                                capture_output=True, text=True)
        self.assertNotEqual(second.returncode, 0)
        self.assertIn("master runs already", second.stderr)


class Kills(RuntimeTest):
    def test_a_killed_worker_costs_one_session_which_is_told(self):
        victim, other = self.client(), self.client()
        victim.send("CRASH\r\n")
        self.assertEqual(victim.line(), "* BYE internal error")
        self.assertRaises(EOFError, victim.line)
        self.assertEqual(other.ask("COUNT"), "1")

    def test_a_killed_porter_loses_nothing(self):
        sessions = [self.client() for _ in range(300)]
        for client in sessions:
            client.ask("LOGIN anna" if client is sessions[0] else "ECHO x")
        keeper, porter = self.server.porters()
        os.kill(porter, signal.SIGKILL)
        began = time.monotonic()
        self.assertEqual(sessions[0].ask("COUNT"), "2")
        print(f"porter killed, answer after {1000 * (time.monotonic() - began):.1f} ms",
              file=sys.stderr)
        self.assertEqual([client.ask("COUNT") for client in sessions[1:]], ["2"] * 299)

    def test_a_killed_keeper_loses_nothing(self):
        client = self.client()
        keeper, porter = self.server.porters()
        os.kill(keeper, signal.SIGKILL)
        wait_for(lambda: self.server.porter()[0] == porter and self.server.porter()[1],
                 "a new pair")
        self.assertEqual(client.ask("COUNT"), "1")
        os.kill(self.server.porters()[1], signal.SIGKILL)
        self.assertEqual(client.ask("COUNT"), "2")

    def test_both_porters_killed_heals(self):
        for pid in self.server.processes("porter"):
            os.kill(pid, signal.SIGKILL)
        wait_for(self.server.try_connect, "a new porter")
        self.assertEqual(self.client().ask("ECHO x"), "x")

    def test_a_killed_fork_server_costs_no_session(self):
        sessions = [self.client() for _ in range(5)]
        self.assertEqual(sessions[0].ask("SLEEP 500"), "sleeping")
        for pid in self.server.fork_servers():
            os.kill(pid, signal.SIGKILL)
        self.assertEqual(sessions[0].line(), "slept")
        self.assertEqual([client.ask("COUNT") for client in sessions], ["2"] + ["1"] * 4)
        wait_for(lambda: self.server.log_text().count("event=daemon.start") == 2, "a fork server")

    def test_a_killed_master_takes_everybody_with_it(self):
        self.assertEqual(self.client().ask("SLEEP 3000"), "sleeping")
        self.server.master.kill()
        self.server.master.wait()
        wait_for(lambda: not self.server.processes("echod") + self.server.processes("porter"),
                 "the end of all")

    def test_a_master_that_is_killed_while_it_starts_leaves_nobody(self):
        self.server.stop_master()
        for millis in range(0, 60, 3):
            self.server.start_master()
            time.sleep(millis / 1000)
            self.server.master.kill()
            self.server.master.wait()
            wait_for(lambda: not self.server.processes("echod") + self.server.processes("porter"),
                     "the end of all")

    def test_kills_in_the_middle_of_hand_overs(self):
        """Porter is killed again and again under load; every answer comes, once, in order."""
        sessions = [self.client() for _ in range(16)]
        sent = [0] * len(sessions)
        generator = random.Random(7)
        for _ in range(60):
            for index, client in enumerate(sessions):
                client.send(f"ECHO {sent[index]}\r\n")
                sent[index] += 1
            # One of the two at a time: both at once is another test.
            porter = self.server.porters()[generator.random() < 0.8]
            time.sleep(generator.random() * 0.004)
            os.kill(porter, signal.SIGKILL)
            wait_for(lambda: porter not in self.server.processes("porter"), "its end")
            if generator.random() < 0.3:
                self.client()  # accepted by whoever lives
        for index, client in enumerate(sessions):
            self.assertEqual([client.line() for _ in range(sent[index])],
                             [str(number) for number in range(sent[index])])
        self.assertNotIn("session.lost", self.server.log_text())

    def test_no_descriptor_is_left_behind(self):
        self.client().ask("ECHO warm")
        start = descriptors(self.server.porters()[1])
        for _ in range(3):
            some = [Client() for _ in range(100)]
            for client in some:
                client.ask("ECHO x")
            os.kill(self.server.porters()[1], signal.SIGKILL)
            for client in some:
                client.ask("ECHO y")
                client.close()
        # Workers come and go: a channel each.
        wait_for(lambda: descriptors(self.server.porters()[1]) <= start + 12, "their descriptors")


class Sockets(unittest.TestCase):
    def test_sockets_of_systemd_are_used_and_readiness_is_told(self):
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        folder = Path(tempfile.mkdtemp(prefix="postern-notify-"))
        notify.bind(str(folder / "notify"))
        notify.settimeout(PATIENCE)
        listener = socket.create_server(("127.0.0.1", PORT))
        os.environ["NOTIFY_SOCKET"] = str(folder / "notify")
        try:
            server = ActivatedServer(listener)
            self.addCleanup(server.stop)
            self.assertTrue(notify.recv(1000).startswith(b"READY=1"))
            client = Client()
            self.assertEqual(client.ask("ECHO x"), "x")
            client.close()
        finally:
            del os.environ["NOTIFY_SOCKET"]
            listener.close()
            notify.close()
            shutil.rmtree(folder)


class ActivatedServer(Server):
    """Started as systemd does: the listening socket is descriptor 3."""

    def __init__(self, listener):
        self.folder = Path(tempfile.mkdtemp(prefix="postern-service-"))
        self.folder.chmod(0o755)
        self.config = self.folder / "postern.toml"
        self.write_config()
        self.log = open(self.folder / "log", "wb")
        script = 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" --config "$1" 3<&$2'
        self.master = subprocess.Popen(
            ["bash", "-c", script, BIN / "master", self.config, str(listener.fileno())],
            stdout=self.log, stderr=self.log, pass_fds=[listener.fileno()])


class Jobs(unittest.TestCase):
    """What master runs beside the services: start.*, event.* and process.*."""

    def server(self, **commands):
        """A server with `commands` as programs of its own: {option: shell script}."""
        folder = Path(tempfile.mkdtemp(prefix="postern-jobs-"))
        folder.chmod(0o777)
        self.addCleanup(shutil.rmtree, folder)
        settings = []
        for option, script in commands.items():
            name = option.replace("__", ".")
            path = folder / name
            path.write_text(f"#!/bin/sh\ncd {folder}\n{script}\n")
            path.chmod(0o755)
            settings.append(f"{name}.command={path}")
        self.folder = folder
        return settings

    def run_server(self, settings):
        server = Server(*settings)
        self.addCleanup(server.stop)
        return server

    def lines(self, name):
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def test_start_jobs_end_one_after_the_other_before_anything_is_served(self):
        settings = self.server(start__a="sleep 0.2; echo a >> order", start__b="echo b >> order")
        self.run_server(settings)
        self.assertEqual(self.lines("order"), ["a", "b"])

    def test_a_start_job_that_fails_keeps_the_server_down(self):
        settings = self.server(start__a="exit 3")
        try:
            server = Server(*settings)
        except (AssertionError, FileNotFoundError):
            return
        server.stop()
        self.fail("it serves although a start job failed")

    def test_events_come_in_their_period_and_never_twice_at_once(self):
        settings = self.server(event__tick="mkdir running || echo twice >> bad\necho x >> ticks\n"
                                           "sleep 0.5; rmdir running")
        server = self.run_server(settings + ["event.tick.every=100ms"])
        wait_for(lambda: len(self.lines("ticks")) >= 3, "three events")
        self.assertEqual(self.lines("bad"), [])
        self.assertNotIn("event.failed", server.log_text())

    def test_an_event_that_fails_is_told_and_comes_again(self):
        settings = self.server(event__bad="echo x >> ticks; exit 7")
        server = self.run_server(settings + ["event.bad.every=100ms"])
        wait_for(lambda: len(self.lines("ticks")) >= 2, "it again")
        self.assertRegex(server.log_text(), "event=event.failed name=bad how=.*7")

    def test_a_process_is_kept_running_and_ends_with_the_server(self):
        settings = self.server(process__side="echo $$ >> pids; exec sleep 1000")
        server = self.run_server(settings)
        wait_for(lambda: self.lines("pids"), "the process")
        os.kill(int(self.lines("pids")[0]), signal.SIGKILL)
        wait_for(lambda: len(self.lines("pids")) == 2, "another one")
        last = int(self.lines("pids")[1])
        server.stop_master()
        self.assertFalse(Path(f"/proc/{last}").exists())

    def test_the_watchdog_of_systemd_is_fed(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            folder = Path(tempfile.mkdtemp(prefix="postern-notify-"))
            self.addCleanup(shutil.rmtree, folder)
            notify.bind(str(folder / "notify"))
            notify.settimeout(PATIENCE)
            os.environ.update(NOTIFY_SOCKET=str(folder / "notify"), WATCHDOG_USEC="1000000")
            try:
                self.run_server([])
                fed = 0
                while fed < 3:
                    fed += b"WATCHDOG=1" in notify.recv(1000)
            finally:
                del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]


if __name__ == "__main__":
    BIN = Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
