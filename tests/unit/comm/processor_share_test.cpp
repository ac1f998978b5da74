#include <lockstep/comm/processor_share.hpp>

#include <gtest/gtest.h>

#include <algorithm>

#include <lockstep/core/processors.hpp>

namespace lockstep {
namespace {

TEST(ProcessorShare, ranks_of_one_host_divide_its_processors_among_them) {
  const auto processors = static_cast<double>(allowed_processors().size());
  const double usable = std::min(processors, processor_quota());
  for (const std::size_t ranks : {1u, 2u, 3u, 16u}) {
    const auto expected = static_cast<std::size_t>(usable / static_cast<double>(ranks) + 1e-6);
    run_on_threads(ranks, [&](Communicator& communicator) {
      EXPECT_EQ(processor_share(communicator), std::max<std::size_t>(expected, 1));
    });
  }
}

}  // namespace
}  // namespace lockstep
