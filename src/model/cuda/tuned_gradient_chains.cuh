#pragma once

#include <core/async_copy.cuh>
#include <core/dynamic_shared.cuh>

#include "gradient_kernel.cuh"
#include "tuned_kernel.cuh"

// What gradient_kernel.cuh computes, for the sizes of tuned_kernel.cuh: all terms of a tile have
// room in shared memory, so they are copied there as early as they can come, past the registers,
// and a thread reads four neighbours by one load. Terms that there are not, of blocks with fewer
// samples and of times before the first, are zeros: they leave a sum as it is, but for the sign of
// a zero, which fixed point does not have.

namespace lockstep::network {

struct TunedGradientTask {
  const float* inputs;  // [samples][times + 1][tuned_input_width]: x_t, h_t, 1
  const float* dz;      // [samples][times][Tuned::units]
  const float* d;       // [samples][classes]
  unsigned times, classes;
  const SampleBlock* blocks;  // or null: all of most_samples
  unsigned block_count;
  std::int64_t* sum;
  float limit;
  DeviceTally* tally;
  unsigned long long* checksum;  // of what was added; may be null

  __device__ SampleBlock block(unsigned i) const {
    if (i >= block_count) return {0, 0};
    return blocks == nullptr ? SampleBlock{i * most_samples, most_samples} : blocks[i];
  }
};

constexpr unsigned tuned_inputs = Tuned::columns + Tuned::units + 1;  // the last is the bias's 1
constexpr unsigned tuned_input_width = (tuned_inputs + 3) / 4 * 4;
constexpr unsigned tiles_across = Tuned::units / tile_columns;
constexpr unsigned tuned_tiles = (tuned_inputs + tile_rows - 1) / tile_rows * tiles_across;
static_assert((tuned_inputs + tile_rows - 1) / tile_rows * tile_rows <= tuned_input_width);

constexpr unsigned chunk_times = 4;  // whose copies a block of threads waits for together
constexpr unsigned chunk_terms = chunk_times * most_samples;
constexpr unsigned chunks_ahead = 3;  // that are on their way at least
constexpr unsigned most_chunks = Tuned::most_rows / chunk_times;
static_assert(most_chunks * chunk_times == Tuned::most_rows);

/// A term's values for a tile.
struct Line {
  alignas(16) float a[tile_rows], b[tile_columns];
};

struct alignas(16) TwoFixed {
  unsigned long long values[2];
};

/// The tile in fixed point, so that a warp adds neighbours to the sum. By rows of a thread; where
/// they belong to an odd `down`, neighbouring TwoFixed have changed places: so threads that write
/// at once do not meet at a bank.
struct FixedTile {
  TwoFixed values[thread_rows][lane_rows][tile_columns / 2];
};

struct TunedGradientShared {
  union {
    Line terms[most_chunks][chunk_terms];
    FixedTile tiles[3];
  };
  unsigned long long of_warps[gradient_threads / warp];

  /// Where no terms of the last chunk lie: other warps may still read those.
  __device__ FixedTile& tile_beside(unsigned last) {
    static_assert(sizeof(tiles) <= sizeof(terms) && sizeof(terms[0]) <= sizeof(FixedTile));
    return tiles[last * sizeof(terms[0]) < sizeof(FixedTile) ? 2 : 0];
  }
};

/// The thread's fours of columns and of rows in a tile, and its last row there. Of a warp, 8 x 4:
/// so few values are cheapest to read, with neighbours that read the same ones in this pattern.
struct LanePlace {
  unsigned down, across;

  __device__ LanePlace() {
    const unsigned lane = threadIdx.x % warp, of = threadIdx.x / warp;
    down = of / 2 * 4 + (lane >> 1 & 1) + (lane >> 4 & 1) * 2;
    across = of % 2 * 8 + (lane & 1) + (lane >> 2 & 3) * 2;
  }
  static __device__ unsigned row(unsigned down, unsigned i) {
    return i < 4 ? down * 4 + i : 4 * lane_rows + down;
  }
};

/// A thread's share of copying the terms.
struct TermCopies {
  const float* a;
  const float* b;  // of the next chunk's last time
  unsigned times;  // that are left
  bool there;      // the thread's sample
  unsigned lane = threadIdx.x % lane_columns, sample = threadIdx.x / lane_columns;

  __device__ TermCopies(const TunedGradientTask& task, const SampleBlock& block, Corner corner)
      : times(task.times), there(threadIdx.x / lane_columns < block.count) {
    const std::size_t from = block.first + (there ? sample : 0);
    a = task.inputs + (from * (times + 1) + times - 1) * tuned_input_width + corner.row + lane * 4;
    b = task.dz + (from * times + times - 1) * Tuned::units + corner.column + lane * 4;
  }

  __device__ void begin(Line (&terms)[chunk_terms]) {
#pragma unroll
    for (unsigned u = 0; u < chunk_times; ++u) {
      Line& line = terms[u * most_samples + sample];
      const bool wanted = there && u < times;
      cuda::begin_copy_16(line.b + lane * 4, b - u * Tuned::units, wanted);
      if (lane * 4 < tile_rows) {
        cuda::begin_copy_16(line.a + lane * 4, a - u * tuned_input_width, wanted);
      }
    }
    times -= times < chunk_times ? times : chunk_times;
    a -= chunk_times * tuned_input_width;
    b -= chunk_times * Tuned::units;
  }
};

struct FourTerms {
  Term terms[4];
};

__device__ inline FourTerms read_four(const Line* lines, LanePlace place) {
  FourTerms four;
#pragma unroll
  for (unsigned n = 0; n < 4; ++n) {
    const float4 a = *reinterpret_cast<const float4*>(lines[n].a + place.down * 4);
    const float4 b = *reinterpret_cast<const float4*>(lines[n].b + place.across * 4);
    four.terms[n] = {{a.x, a.y, a.z, a.w, lines[n].a[4 * lane_rows + place.down]},
                     {b.x, b.y, b.z, b.w}};
  }
  return four;
}

__device__ inline void add_four(const FourTerms& four, Sums& sums) {
#pragma unroll
  for (const Term& term : four.terms) add_term(term, sums);
}

/// The chains of the thread's parameters. While four terms are added, the next are read. Returns
/// the number of the last chunk.
__device__ inline unsigned add_chunks(TermCopies copies, unsigned times, LanePlace place,
                                      TunedGradientShared& shared, Sums& sums) {
  const unsigned last = (times - 1) / chunk_times;
  for (unsigned c = 0; c < chunks_ahead; ++c) {
    if (c <= last) copies.begin(shared.terms[c]);
    cuda::end_copy_group();
  }
  cuda::wait_for_copies<chunks_ahead - 1>();
  __syncthreads();
  FourTerms even = read_four(shared.terms[0], place);
#pragma unroll 1
  for (unsigned c = 0; c <= last; ++c) {
    const Line* lines = shared.terms[c];
    if (c + chunks_ahead <= last) copies.begin(shared.terms[c + chunks_ahead]);
    cuda::end_copy_group();
#pragma unroll
    for (unsigned n = 0; n + 8 < chunk_terms; n += 8) {
      const FourTerms odd = read_four(lines + n + 4, place);
      add_four(even, sums);
      even = read_four(lines + n + 8, place);
      add_four(odd, sums);
    }
    const FourTerms odd = read_four(lines + chunk_terms - 4, place);
    add_four(even, sums);
    if (c < last) {
      cuda::wait_for_copies<chunks_ahead - 1>();
      __syncthreads();
      even = read_four(lines + chunk_terms, place);
    }
    add_four(odd, sums);
  }
  return last;
}

}  // namespace lockstep::network
