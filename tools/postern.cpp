// postern: administration of the server on its own host.
#include "tools/command.h"

int main(int argc, char** argv) { return postern::tools::run_command_line(argc, argv); }
