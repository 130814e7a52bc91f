// Patience: how long to wait for a peer's next words.
#pragma once

#include <chrono>

namespace postern::net {

struct Patience {
  std::chrono::milliseconds wait{0};
  /// For so much of it the waiting process doesn't sleep, if the peer is one that answers so soon:
  /// to wake an idle processor takes longer than such a peer does. The processor is given away
  /// meanwhile to whoever wants it.
  std::chrono::microseconds awake{0};
};

}  // namespace postern::net
