// What is told on stderr must not end the program when nobody can take it: the log's disk is full, the
// terminal has gone.
#pragma once

namespace weir {

// From now on writing to `stderr` succeeds, whatever becomes of it. Before any thread; once.
void tolerate_lost_stderr();

}  // namespace weir
