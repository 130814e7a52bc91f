"""A private Cyrus IMAP server from Debian's packages, default durability.

Debian's cyrus-imapd conflicts with dovecot-imapd, so tests/live/install unpacks it into PREFIX and
installs only the libraries that it needs.
"""

import imaplib
import os
import subprocess
from pathlib import Path

from .instance import PASSWORD, Instance, self_signed, wait_for_greeting

PREFIX = Path("/var/tmp/postern-peers/cyrus")
ADMIN = "cyrus"

# Debian's imapd.conf with private paths; `sasl_minimum_layer` and what isn't named: defaults.
IMAPD_CONF = """
configdirectory: {folder}/config
partition-default: {folder}/spool
defaultpartition: default
cyrus_user: mail
cyrus_group: mail
admins: cyrus
altnamespace: yes
unixhierarchysep: yes
hashimapspool: true
allowplaintext: yes
sasl_mech_list: PLAIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {folder}/sasldb2
servername: localhost
tls_server_cert: {cert}
tls_server_key: {key}
idlesocket: {folder}/config/socket/idle
lmtpsocket: {folder}/config/socket/lmtp
notifysocket: {folder}/config/socket/notify
sievedir: {folder}/sieve
duplicate_db_path: {folder}/config/deliver.db
sendmail: /bin/false
"""

# Debian's cyrus.conf: prefork and limits as there, ports private.
CYRUS_CONF = """
START {{
  recover cmd="{bin}/ctl_cyrusdb -C {folder}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="{bin}/imapd -C {folder}/imapd.conf -U 30" listen="127.0.0.1:{imap}" prefork=0 maxchild=-1
  imaps cmd="{bin}/imapd -C {folder}/imapd.conf -s -U 30" listen="127.0.0.1:{imaps}" prefork=0 maxchild=-1
  pop3 cmd="{bin}/pop3d -C {folder}/imapd.conf -U 30" listen="127.0.0.1:{pop3}" prefork=0 maxchild=-1
  pop3s cmd="{bin}/pop3d -C {folder}/imapd.conf -s -U 30" listen="127.0.0.1:{pop3s}" prefork=0 maxchild=-1
  lmtp cmd="{bin}/lmtpd -C {folder}/imapd.conf -a" listen="127.0.0.1:{lmtp}" prefork=0 maxchild=20
}}
DAEMON {{
  idled cmd="{bin}/idled -C {folder}/imapd.conf"
}}
EVENTS {{
  checkpoint cmd="{bin}/ctl_cyrusdb -C {folder}/imapd.conf -c" period=30
}}
"""


class Cyrus(Instance):
    name = "cyrus"
    worker_name = "imapd"

    def launch(self):
        self.make_folders()
        self.write_config()
        self.make_passwords()
        environment = {**os.environ, "LD_LIBRARY_PATH": str(PREFIX / "usr/lib/x86_64-linux-gnu")}
        with open(self.folder / "master.log", "ab") as log:
            self.master_pid = subprocess.Popen(
                [str(PREFIX / "usr/lib/cyrus/bin/master"), "-C", str(self.folder / "imapd.conf"),
                 "-M", str(self.folder / "cyrus.conf"), "-p", str(self.folder / "master.pid")],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True).pid
        wait_for_greeting(self.host, self.imap_port)
        self.make_mailboxes()

    def make_folders(self):
        config = self.folder / "config"
        for path in (config / "db", config / "socket", config / "proc", config / "log",
                     config / "user", config / "quota", config / "lock", self.folder / "spool",
                     self.folder / "sieve"):
            path.mkdir(parents=True, exist_ok=True)
        os.chmod(self.folder, 0o755)

    def write_config(self):
        cert, key = self_signed(self.folder)
        (self.folder / "imapd.conf").write_text(
            IMAPD_CONF.format(folder=self.folder, cert=cert, key=key).lstrip())
        (self.folder / "cyrus.conf").write_text(CYRUS_CONF.format(
            folder=self.folder, bin=PREFIX / "usr/lib/cyrus/bin", imap=self.imap_port, imaps=self.imaps_port,
            pop3=self.pop3_port, pop3s=self.pop3s_port, lmtp=self.lmtp_port).lstrip())
        subprocess.run(["chown", "-R", "mail:mail", str(self.folder)], check=True)

    def make_passwords(self):
        for user in [ADMIN] + [f"user{n}" for n in range(1, self.users + 1)]:
            subprocess.run(["saslpasswd2", "-p", "-c", "-f", str(self.folder / "sasldb2"),
                            "-u", "localhost", user], input=PASSWORD, text=True, check=True)
        subprocess.run(["chown", "mail:mail", str(self.folder / "sasldb2")], check=True)

    def make_mailboxes(self):
        with imaplib.IMAP4(self.host, self.imap_port) as admin:
            admin.login(ADMIN, PASSWORD)
            for n in range(1, self.users + 1):
                admin.create(f"user/user{n}")
