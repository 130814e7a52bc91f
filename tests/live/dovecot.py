"""A private Dovecot from Debian's packages, default durability (mail_fsync=optimized)."""

import os
import subprocess

from .instance import PASSWORD, Instance, self_signed

# Everything that isn't set here keeps Debian's default. Limits are raised so that a benchmark's
# many connections from one address are let in and a process can hold a mailbox of a million.
CONFIG = """
base_dir = {run}
state_dir = {folder}/state
instance_name = {instance}
log_path = {folder}/dovecot.log
protocols = imap pop3 lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain
first_valid_uid = 1
mail_max_userip_connections = 20000
default_vsz_limit = 4 G
mail_location = {format}:{folder}/mail/%n
mail_home = {folder}/home/%n
mail_uid = mail
mail_gid = mail
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%n {folder}/passwd
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/home/%n
}}
protocol lmtp {{
  postmaster_address = postmaster@localhost
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
  process_limit = 20000
}}
service imap {{
  process_limit = 20000
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service anvil {{
  client_limit = 40000
}}
service auth {{
  client_limit = 40000
}}
"""


class Dovecot(Instance):
    """Maildir, or any other format named in `mail_format` before start ("mdbox")."""

    name = "dovecot"
    worker_name = "imap"
    mail_format = "maildir"

    def launch(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        os.chmod(self.folder, 0o755)
        for name in ("mail", "home", "state"):
            path = self.folder / name
            path.mkdir(exist_ok=True)
            subprocess.run(["chown", "mail:mail", str(path)], check=True)
        (self.folder / "passwd").write_text(
            "".join(f"user{n}:{PASSWORD}\n" for n in range(1, self.users + 1)))
        config = self.folder / "dovecot.conf"
        config.write_text(self.config())
        with open(self.folder / "start.log", "ab") as log:
            self.master_pid = subprocess.Popen(
                ["/usr/sbin/dovecot", "-F", "-c", str(config)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True).pid

    def config(self):
        cert, key = self_signed(self.folder)
        return CONFIG.format(
            folder=self.folder, run=self.folder / "run", instance=f"bench{self.port_base}",
            cert=cert, key=key, format=self.mail_format, imap=self.imap_port,
            imaps=self.imaps_port, pop3=self.pop3_port, pop3s=self.pop3s_port, lmtp=self.lmtp_port)


class DovecotMdbox(Dovecot):
    """The same with Dovecot's own format, several messages a file."""

    name = "dovecot-mdbox"
    mail_format = "mdbox"


class Pigeonhole(Dovecot):
    """Dovecot whose LMTP server runs Sieve scripts (package dovecot-sieve)."""

    name = "dovecot-sieve"

    def config(self):
        return super().config() + "protocol lmtp {\n  mail_plugins = sieve\n}\n"

    def set_script(self, text):
        """Makes `text` the script of every user; None takes it away."""
        for number in range(1, self.users + 1):
            home = self.folder / "home" / f"user{number}"
            home.mkdir(exist_ok=True)
            for old in home.glob(".dovecot.sv*"):
                old.unlink()  # the compiled form
            path = home / ".dovecot.sieve"
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(text)
            subprocess.run(["chown", "-R", "mail:mail", str(home)], check=True)


class DovecotCompress(Dovecot):
    """The same with COMPRESS=DEFLATE (RFC 4978)."""

    name = "dovecot-compress"

    def config(self):
        return (super().config() + "mail_plugins = zlib\n"
                "protocol imap {\n  mail_plugins = zlib imap_zlib\n}\n")


class DovecotHibernate(Dovecot):
    """The same with idle sessions put aside in one process after a second (imap-hibernate)."""

    name = "dovecot-hibernate"

    def config(self):
        return super().config() + """
imap_hibernate_timeout = 1 s
service imap {
  unix_listener imap-master {
    user = $default_internal_user
  }
}
service imap-hibernate {
  client_limit = 40000
  unix_listener imap-hibernate {
    mode = 0666
  }
}
"""
