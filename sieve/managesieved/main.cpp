// managesieved: Sieve scripts of users over ManageSieve (RFC 5804).
#include "sieve/managesieved/daemon.h"

int main(int argc, char** argv) {
  postern::managesieved::ManagesieveDaemon daemon;
  return postern::service::run(daemon, argc, argv);
}
