// postern sieve check and postern sieve test: commands over the Sieve engine alone; no server runs.
#pragma once

namespace postern::tools {

/// `postern sieve check SCRIPT...`: errors and warnings as file:line:column: text.
/// @return  sysexits: 0; 64 usage; 65 a script has an error; 66 a script can't be read
int sieve_check(int argc, char** argv);

/// `postern sieve test [options] SCRIPT`: what the script would do with a message.
/// @return  sysexits: 0, also when the run ends with an error (which it prints); 64 usage; 65 the
///          script has an error; 66 a file can't be read
int sieve_test(int argc, char** argv);

}  // namespace postern::tools
