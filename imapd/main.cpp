// imapd: mail access over IMAP (RFC 3501 and extensions).
#include "imapd/daemon.h"

int main(int argc, char** argv) {
  postern::imap::ImapDaemon daemon;
  return postern::service::run(daemon, argc, argv);
}
