// The program's own pages in memory.
#pragma once

namespace postern {

/// For a process that has done its start, or its work, and will rest: pages of the program and its
/// libraries that it has read no longer count as its memory. They are files' pages, unchanged, so
/// what is needed again is mapped again from the page cache, at some microseconds for 64 KiB.
void let_go_of_program_pages();

}  // namespace postern
