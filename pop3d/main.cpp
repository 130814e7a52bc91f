// pop3d: mail for clients over POP3 (RFC 1939).
#include "pop3d/daemon.h"

int main(int argc, char** argv) {
  postern::pop3d::Pop3Daemon daemon;
  return postern::service::run(daemon, argc, argv);
}
