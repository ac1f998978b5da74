#include "kernels.hpp"

// Only targets with a fused multiply-add: elsewhere Highway's MulAdd rounds twice. The baseline
// stays in the list because Highway wants one; it gets no kernels.
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_NEON

// Without guards: each target includes them once, in this order.
// clang-format off
#include "vector-inl.hpp"
#include "product-inl.hpp"
#include "outer-inl.hpp"
#include "ink-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace lockstep::simd::HWY_NAMESPACE {
namespace {

const float one = 1.0f;

void pack(const Layout& layout, const float* parameters, Weights& w) {
  const auto [columns, hidden, classes] =
      std::array{layout.shape.columns, layout.shape.hidden, layout.shape.classes};
  const auto [kernel, bias, head, head_bias] = tensors(layout.shape);
  const float* const recurrent = parameters + columns * hidden;
  const float* const head_kernel = parameters + head.offset;
  ++w.version;
  pack_panels(parameters, hidden, 1, columns, hidden, layout.hidden, w.input.data());
  for (std::size_t i = 0; i < columns; ++i) {
    std::copy_n(parameters + i * hidden, hidden, w.input_rows.data() + i * layout.hidden);
  }
  pack_panels(recurrent, hidden, 1, hidden, hidden, layout.hidden, w.recurrent.data());
  pack_panels(recurrent, 1, hidden, hidden, hidden, layout.hidden, w.recurrent_transposed.data());
  pack_panels(head_kernel, classes, 1, hidden, classes, layout.classes, w.head.data());
  pack_panels(head_kernel, 1, classes, classes, hidden, layout.hidden, w.head_transposed.data());
  std::copy_n(parameters + bias.offset, hidden, w.bias.data());
  std::copy_n(parameters + head_bias.offset, classes, w.head_bias.data());
}

/// pixels -> x, where the products take every pixel.
void scale_pixels(const Layout& layout, std::size_t n, Workspace& ws) {
  const std::size_t count = n * layout.picture();
  for (std::size_t i = 0; i < count; ++i) ws.x[i] = static_cast<float>(ws.pixels[i]) / 255.0f;
}

void input_part(const Layout& layout, const Weights& w, std::size_t n, Workspace& ws) {
  for (std::size_t t = 0; t < layout.shape.rows; ++t) {
    product(Product{ws.x.data() + t * layout.shape.columns, layout.picture(), layout.shape.columns,
                    w.input.data(), ws.states.data() + (t + 1) * layout.state(), layout.stride},
            Affine<false>{w.bias.data()}, n, layout.hidden);
  }
}

/// The input part of all rows whose states are still to be computed; returns the first of them.
template <bool Quarters>
std::size_t begin_rows(const Layout& layout, const Weights& w, std::size_t n, Workspace& ws) {
  if (layout.skip_zeros) {
    const std::size_t first = share_blank_states<Quarters>(layout, w, n, ws);
    ink_input_part(layout, w, n, first, ws);
    return first;
  }
  scale_pixels(layout, n, ws);
  input_part(layout, w, n, ws);
  return 0;
}

template <bool Quarters>
void forward(const Layout& layout, const Weights& w, std::size_t n, Workspace& ws) {
  std::size_t t = begin_rows<Quarters>(layout, w, n, ws);
  float* state = ws.states.data() + t * layout.state();
  for (; t < layout.shape.rows; ++t, state += layout.state()) {
    product(Product{state, layout.stride, layout.shape.hidden, w.recurrent.data(),
                    state + layout.state(), layout.stride},
            State<Quarters>{}, n, layout.hidden);
  }
  product(Product{state, layout.stride, layout.shape.hidden, w.head.data(), ws.logits.data(),
                  layout.classes},
          Affine<Quarters>{w.head_bias.data()}, n, layout.classes);
}

Tally loss(const Layout& layout, std::size_t n, const std::uint8_t* labels, Workspace& ws) {
  Tally tally;
  for (std::size_t s = 0; s < n; ++s) {
    const std::size_t offset = s * layout.classes;
    std::size_t predicted = 0;
    const float value = arithmetic::softmax_cross_entropy(
        &ws.logits[offset], layout.shape.classes, labels[s], &ws.dlogits[offset], predicted);
    tally += sample_tally(value, predicted == labels[s]);
  }
  return tally;
}

template <bool Quarters>
void backward(const Layout& layout, const Weights& w, std::size_t n, Workspace& ws) {
  std::size_t t = layout.shape.rows - 1;
  const float* h = ws.states.data() + layout.shape.rows * layout.state();
  float* dz = ws.dz.data() + t * layout.state();
  product(Product{ws.dlogits.data(), layout.classes, layout.shape.classes, w.head_transposed.data(),
                  dz, layout.stride},
          Derivative<false>{h, layout.stride}, n, layout.hidden);
  for (; t > 0; --t, dz -= layout.state()) {
    h -= layout.state();
    product(Product{dz, layout.stride, layout.shape.hidden, w.recurrent_transposed.data(),
                    dz - layout.state(), layout.stride},
            Derivative<Quarters>{h, layout.stride}, n, layout.hidden);
  }
}

template <typename Sum>
std::uint32_t add_gradient(const Layout& layout, std::size_t n, Workspace& ws, float limit,
                           Sum* sum) {
  const auto [rows, columns, hidden, classes] = layout.shape;
  const auto [kernel, bias, head, head_bias] = tensors(layout.shape);
  const std::size_t state = layout.state();
  const float* const last = ws.states.data() + rows * state;
  Outer over_time{
      ws.states.data(), state, layout.stride, ws.dz.data(), state, layout.stride, rows, 1, n};
  bool valid[tensor_count];
  valid[0] = add_outer(over_time, Target<Sum>{sum + columns * hidden, hidden, hidden, limit},
                       hidden, layout.hidden);
  over_time.first_row = 0;
  const Target<Sum> input_rows{sum, hidden, hidden, limit};
  if (layout.skip_zeros) {
    list_ink(layout, n, ws);
    valid[0] &= add_ink_outer(layout, ws, input_rows);
  } else {
    over_time.a = ws.x.data();
    over_time.a_row = columns;
    over_time.a_sample = layout.picture();
    valid[0] &= add_outer(over_time, input_rows, columns, layout.hidden);
  }
  over_time.a = &one;
  over_time.a_row = over_time.a_sample = 0;
  valid[1] =
      add_outer(over_time, Target<Sum>{sum + bias.offset, hidden, hidden, limit}, 1, layout.hidden);
  Outer of_head{last, 0, layout.stride, ws.dlogits.data(), 0, layout.classes, 1, 0, n};
  valid[2] = add_outer(of_head, Target<Sum>{sum + head.offset, classes, classes, limit}, hidden,
                       layout.classes);
  of_head.a = &one;
  of_head.a_sample = 0;
  valid[3] = add_outer(of_head, Target<Sum>{sum + head_bias.offset, classes, classes, limit}, 1,
                       layout.classes);
  std::uint32_t invalid = 0;
  for (std::size_t i = 0; i < tensor_count; ++i) invalid |= (valid[i] ? 0u : 1u) << i;
  return invalid;
}

std::size_t fma_chains(std::size_t rounds) {
  constexpr std::size_t chains = 12;
  const Vector factor = broadcast(0.5f);
  Vector sums[chains];
  for (auto& sum : sums) sum = factor;
  for (std::size_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 16
    for (std::size_t c = 0; c < chains; ++c) sums[c] = fused(sums[c], factor, factor);
  }
  Vector total = sums[0];
  for (std::size_t c = 1; c < chains; ++c) total = hn::Add(total, sums[c]);
  volatile float keep = hn::GetLane(total);  // so that the work can't be left out
  (void)keep;
  return rounds * chains * lanes * 2;
}

}  // namespace

extern const Kernels kernels;
const Kernels kernels{HWY_MAX_BYTES == 64   ? "avx512"
                      : HWY_MAX_BYTES == 32 ? "avx2"
                                            : "neon",
                      lanes,
                      pack,
                      forward<true>,
                      loss,
                      backward<true>,
                      add_gradient<std::int64_t>,
                      forward<false>,
                      backward<false>,
                      add_gradient<float>,
                      fma_chains};

}  // namespace lockstep::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE
namespace lockstep::simd {

std::vector<const Kernels*> supported_kernels() {
  std::vector<const Kernels*> result;
  [[maybe_unused]] const auto supported = HWY_SUPPORTED_TARGETS;
#if HWY_TARGETS & HWY_AVX3
  if (supported & HWY_AVX3) result.push_back(&N_AVX3::kernels);
#endif
#if HWY_TARGETS & HWY_AVX2
  if (supported & HWY_AVX2) result.push_back(&N_AVX2::kernels);
#endif
#if HWY_TARGETS & HWY_NEON
  if (supported & HWY_NEON) result.push_back(&N_NEON::kernels);
#endif
  return result;
}

}  // namespace lockstep::simd
#endif
