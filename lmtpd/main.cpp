// lmtpd: mail delivery from MTAs over LMTP (RFC 2033).
#include "lmtpd/daemon.h"

int main(int argc, char** argv) {
  postern::lmtp::LmtpDaemon daemon;
  return postern::service::run(daemon, argc, argv);
}
