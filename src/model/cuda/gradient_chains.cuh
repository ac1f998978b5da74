#pragma once

#include <model/device_network.cuh>

#include "arithmetic.hpp"

// The chains of gradient_kernel.cuh.
//
// A block of threads has a tile of the parameters for one block of samples. A tile is so large that
// those of a step of the default recipe fill the 132 multiprocessors of an H200 once. What bounds
// it is reading shared memory, 128 bytes a cycle: 9 values for 20 multiply-adds of a thread.

namespace lockstep::network {

constexpr unsigned gradient_threads = 128;
constexpr unsigned warp = 32;
constexpr unsigned lane_columns = 16;  // threads side by side; neighbours have neighbouring columns
constexpr unsigned lane_rows = gradient_threads / lane_columns;
constexpr unsigned thread_rows = 5, thread_columns = 4;  // of a thread; others' lie between
constexpr unsigned tile_rows = lane_rows * thread_rows;
constexpr unsigned tile_columns = lane_columns * thread_columns;
constexpr unsigned times_at_once = 4;  // whose terms are in shared memory, twice
constexpr unsigned most_samples = block_samples;
static_assert(most_samples == lane_rows, "each of these threads brings the terms of a sample");
static_assert(tile_rows <= 4 * lane_columns && tile_columns == 4 * lane_columns);

/// Products a^T b over the terms of a block of samples: `rows` x `columns` parameters that lie side
/// by side in the sum. Of tensor `tensor`, but for the last row, the bias's, of the tensor after
/// it.
struct Outer {
  const float* a;  // of the first sample at the first time; so many values lie between
  std::size_t a_sample;
  unsigned a_time;
  const float* b;
  std::size_t b_sample;
  unsigned b_time;
  unsigned times, rows, columns;
  std::int64_t* sum;
  unsigned tensor;
  bool by_float4;  // both lie as whole, aligned float4s, the last of which may hold any values

  __host__ __device__ unsigned down() const { return (rows + tile_rows - 1) / tile_rows; }
  __host__ __device__ unsigned across() const {
    return (columns + tile_columns - 1) / tile_columns;
  }
};

/// The place in the matrix where the tile begins.
struct Corner {
  unsigned row, column;
};

/// The values of a tile's terms. A time has room for most_samples.
struct Terms {
  alignas(16) float a[times_at_once * most_samples][tile_rows];
  alignas(16) float b[times_at_once * most_samples][tile_columns];
};

/// A thread's share of them, on its way from the GPU's memory.
struct Coming {
  float4 a[times_at_once], b[times_at_once];
};

struct Sums {
  float values[thread_rows][thread_columns];
};

/// Four neighbouring values of a or b that a thread brings at each time. What lies beyond the
/// matrix or the block of samples is another value of theirs: nobody asks for what comes of it.
struct Source {
  const float* first;  // those of the first time
  unsigned time;       // so many values lie between
  unsigned count;      // of the four that the matrix has
};

struct Sources {
  Source a, b;

  __device__ Sources(const Outer& outer, const SampleBlock& block, Corner corner) {
    const unsigned lane = threadIdx.x / lane_columns, four = threadIdx.x % lane_columns * 4;
    const std::size_t sample = block.first + (lane < block.count ? lane : 0);
    const auto source = [&](const float* first, unsigned time, unsigned place, unsigned end) {
      if (place + four < end) place += four;
      return Source{first + place, time, place + 4 < end ? 4 : end - place};
    };
    a = source(outer.a + sample * outer.a_sample, outer.a_time, corner.row, outer.rows);
    b = source(outer.b + sample * outer.b_sample, outer.b_time, corner.column, outer.columns);
  }
};

template <bool by_float4>
__device__ inline float4 load_four(const Source& from, unsigned t) {
  const float* values = from.first + std::size_t{t} * from.time;
  if constexpr (by_float4) return *reinterpret_cast<const float4*>(values);
  return {values[0], from.count > 1 ? values[1] : 0.0f, from.count > 2 ? values[2] : 0.0f,
          from.count > 3 ? values[3] : 0.0f};
}

/// Begins to load the times from `begin` on, counted from the last backwards; instead of those
/// before the first, the first once more.
template <bool by_float4>
__device__ inline void load_times(const Sources& from, unsigned times, unsigned begin,
                                  Coming& coming) {
#pragma unroll
  for (unsigned u = 0; u < times_at_once; ++u) {
    const unsigned t = begin + u < times ? times - 1 - (begin + u) : 0;
    coming.a[u] = load_four<by_float4>(from.a, t);
    coming.b[u] = load_four<by_float4>(from.b, t);
  }
}

__device__ inline void store_times(const Coming& coming, Terms& terms) {
  const unsigned sample = threadIdx.x / lane_columns, four = threadIdx.x % lane_columns * 4;
  const auto store = [&](const float4(&fours)[times_at_once], auto& to) {
#pragma unroll
    for (unsigned u = 0; u < times_at_once; ++u) {
      *reinterpret_cast<float4*>(&to[u * most_samples + sample][four]) = fours[u];
    }
  };
  store(coming.b, terms.b);
  if (four < tile_rows) store(coming.a, terms.a);
}

/// A thread's values of one term.
struct Term {
  float a[thread_rows], b[thread_columns];
};

__device__ inline Term read_term(const Terms& terms, unsigned n) {
  Term term;
#pragma unroll
  for (unsigned i = 0; i < thread_rows; ++i) {
    term.a[i] = terms.a[n][threadIdx.x / lane_columns + i * lane_rows];
  }
#pragma unroll
  for (unsigned j = 0; j < thread_columns; ++j) {
    term.b[j] = terms.b[n][threadIdx.x % lane_columns + j * lane_columns];
  }
  return term;
}

__device__ inline void add_term(const Term& term, Sums& sums) {
#pragma unroll
  for (unsigned i = 0; i < thread_rows; ++i) {
#pragma unroll
    for (unsigned j = 0; j < thread_columns; ++j) {
      sums.values[i][j] = fused(term.a[i], term.b[j], sums.values[i][j]);
    }
  }
}

/// Neighbouring terms.
struct Pair {
  Term first, second;
};

__device__ inline Pair read_pair(const Terms& terms, unsigned n) {
  return {read_term(terms, n), read_term(terms, n + 1)};
}

__device__ inline void add_pair(const Pair& pair, Sums& sums) {
  add_term(pair.first, sums);
  add_term(pair.second, sums);
}

/// The terms of all times and samples that there is room for. While a pair is added, the next is
/// read. Not unrolled: of a longer text ptxas puts reads right before their use.
__device__ inline void add_full(const Terms& terms, Sums& sums) {
  constexpr unsigned count = times_at_once * most_samples;
  Pair even = read_pair(terms, 0);
#pragma unroll 1
  for (unsigned n = 0; n < count - 4; n += 4) {
    const Pair odd = read_pair(terms, n + 2);
    add_pair(even, sums);
    even = read_pair(terms, n + 4);
    add_pair(odd, sums);
  }
  const Pair odd = read_pair(terms, count - 2);
  add_pair(even, sums);
  add_pair(odd, sums);
}

__device__ inline void add_some(const Terms& terms, unsigned times, unsigned samples, Sums& sums) {
#pragma unroll 1
  for (unsigned u = 0; u < times; ++u) {
#pragma unroll 1
    for (unsigned s = 0; s < samples; ++s) add_term(read_term(terms, u * most_samples + s), sums);
  }
}

/// The chains of the thread's parameters. While terms are added, the next ones are loaded.
template <bool by_float4>
__device__ inline void add_all(const Outer& outer, const SampleBlock& block, Corner corner,
                               Terms (&terms)[2], Sums& sums) {
  const Sources from(outer, block, corner);
  Coming coming;
  load_times<by_float4>(from, outer.times, 0, coming);
  unsigned turn = 0;
  for (unsigned begin = 0; begin < outer.times; begin += times_at_once, turn ^= 1) {
    const unsigned next = begin + times_at_once;
    store_times(coming, terms[turn]);
    __syncthreads();  // and so all are done with the terms before these, whose place is next
    load_times<by_float4>(from, outer.times, next, coming);
    if (by_float4 && next <= outer.times && block.count == most_samples) {
      add_full(terms[turn], sums);
    } else {
      add_some(terms[turn], next < outer.times ? times_at_once : outer.times - begin, block.count,
               sums);
    }
  }
}

}  // namespace lockstep::network
