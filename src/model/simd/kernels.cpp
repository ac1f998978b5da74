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
#include "pack-inl.hpp"
#include "product-inl.hpp"
#include "fixed-inl.hpp"
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
  if (layout.skip_zeros) {
    for (std::size_t i = 0; i < columns; ++i) {
      std::copy_n(parameters + i * hidden, hidden, w.input_rows.data() + i * layout.hidden);
    }
  } else {
    pack_panels(parameters, columns, hidden, w.input.data());
  }
  pack_panels(recurrent, hidden, hidden, w.recurrent.data());
  pack_transposed(recurrent, hidden, hidden, w.recurrent_transposed.data());
  pack_panels(head_kernel, hidden, classes, w.head.data());
  pack_transposed(head_kernel, classes, hidden, w.head_transposed.data());
  std::copy_n(parameters + bias.offset, hidden, w.bias.data());
  std::copy_n(parameters + head_bias.offset, classes, w.head_bias.data());
}

/// pixels -> x, where the products take every pixel. A row's last vector reaches into the next one,
/// which is written after it.
void scale_pixels(const Layout& layout, std::size_t n, Workspace& ws) {
  const hn::Rebind<std::uint8_t, FloatTag> bytes;
  const hn::RebindToSigned<FloatTag> integers;
  const FloatTag d;
  const std::size_t columns = layout.shape.columns;
  float* x = ws.x.data();
  for (std::size_t t = layout.shape.rows; t-- > 0;) {
    for (std::size_t s = 0; s < n; ++s, x += columns) {
      const std::uint8_t* const pixels = &ws.pixels[s * layout.picture() + t * columns];
      for (std::size_t i = 0; i < columns; i += lanes) {
        const auto values = hn::PromoteTo(integers, hn::LoadU(bytes, pixels + i));
        hn::StoreU(hn::Div(hn::ConvertTo(d, values), broadcast(255.0f)), d, x + i);
      }
    }
  }
}

/// The input part of all rows whose states are still to be computed; returns the first of them.
template <bool Quarters>
std::size_t begin_rows(const Layout& layout, const Weights& w, std::size_t n, Workspace& ws) {
  if (layout.skip_zeros) {
    count_ink(layout, n, ws);
    const std::size_t first = share_blank_states<Quarters>(layout, w, n, ws);
    ink_input_part(layout, w, n, first, ws);
    return first;
  }
  scale_pixels(layout, n, ws);
  product(Product<AnySize>{ws.x.data(),
                           {layout.shape.columns, layout.shape.columns},
                           w.input.data(),
                           ws.states.data(),
                           layout.stride},
          Affine<false>{w.bias.data()}, n * layout.shape.rows, layout.hidden);
  return 0;
}

template <bool Quarters>
void forward(const Layout& layout, const Weights& w, std::size_t n, Workspace& ws) {
  const std::size_t row = n * layout.stride;
  std::size_t t = begin_rows<Quarters>(layout, w, n, ws);
  float* state = ws.states.data() + (layout.shape.rows - t) * row;
  for (; t < layout.shape.rows; ++t, state -= row) {
    next_states<Quarters>(layout, w, n, t == 0, state, state - row);
  }
  product(Product<AnySize>{state,
                           {layout.stride, layout.shape.hidden},
                           w.head.data(),
                           ws.logits.data(),
                           layout.classes},
          Affine<Quarters>{w.head_bias.data()}, n, layout.classes);
}

/// arithmetic::softmax_cross_entropy, whose exponentials and quotients are taken by vectors.
float softmax_cross_entropy(float* logits, std::size_t classes, std::size_t label,
                            float* probabilities, std::size_t& predicted) {
  predicted = 0;
  for (std::size_t c = 1; c < classes; ++c) {
    if (logits[c] > logits[predicted]) predicted = c;
  }
  const float largest = logits[predicted];
  const float of_label = logits[label] - largest;
  for (std::size_t c = 0; c < classes; c += lanes) {
    store(exp(hn::Sub(load(logits + c), broadcast(largest))), logits + c);
  }
  float sum = 0.0f;
  for (std::size_t c = 0; c < classes; ++c) sum = sum + logits[c];
  for (std::size_t c = 0; c < classes; c += lanes) {
    const auto inside = hn::FirstN(FloatTag(), classes - c);
    store(hn::IfThenElseZero(inside, hn::Div(load(logits + c), broadcast(sum))), probabilities + c);
  }
  return arithmetic::log(sum) - of_label;
}

Tally loss(const Layout& layout, std::size_t n, const std::uint8_t* labels, Workspace& ws) {
  Tally tally;
  for (std::size_t s = 0; s < n; ++s) {
    const std::size_t offset = s * layout.classes;
    std::size_t predicted = 0;
    const float value = softmax_cross_entropy(&ws.logits[offset], layout.shape.classes, labels[s],
                                              &ws.dlogits[offset], predicted);
    tally += sample_tally(value, predicted == labels[s]);
  }
  return tally;
}

/// The derivatives of all rows, and their sums: the bias gradient, row by row and sample by sample.
template <bool Quarters>
void backward(const Layout& layout, const Weights& w, std::size_t n, Workspace& ws) {
  const std::size_t row = n * layout.stride;
  const float* h = ws.states.data();
  float* dz = ws.dz.data();
  float* const sums = ws.bias_gradient.data();
  std::fill_n(sums, layout.hidden, 0.0f);
  product(Product<AnySize>{ws.dlogits.data(),
                           {layout.classes, layout.shape.classes},
                           w.head_transposed.data(),
                           dz,
                           layout.stride},
          Derivative<false>{h, layout.stride, sums}, n, layout.hidden);
  for (std::size_t t = 1; t < layout.shape.rows; ++t, dz += row) {
    h += row;
    recurrent_product(layout, dz, w.recurrent_transposed.data(), dz + row,
                      Derivative<Quarters>{h, layout.stride, sums}, n);
  }
}

template <typename Sum>
std::uint32_t add_gradient(const Layout& layout, std::size_t n, Workspace& ws, float limit,
                           Sum* sum) {
  const auto [rows, columns, hidden, classes] = layout.shape;
  const auto [kernel, bias, head, head_bias] = tensors(layout.shape);
  const std::size_t stride = layout.stride;
  const float* const dz = ws.dz.data();
  const Target<Sum> input_rows{sum, columns, hidden, limit};
  bool valid[tensor_count];
  if (layout.skip_zeros) {
    list_ink(layout, n, ws);
    valid[0] = add_ink_outer(layout, ws, input_rows);
  } else {
    valid[0] = add_outer(Outer<AnySteps>{ws.x.data(), dz, {columns, stride}, rows * n}, input_rows,
                         layout.hidden);
  }
  // The first row's states have none before them.
  valid[0] &= add_recurrent_outer(layout, ws.states.data() + n * stride, dz, (rows - 1) * n,
                                  Target<Sum>{sum + columns * hidden, hidden, hidden, limit});
  valid[1] = add_row(ws.bias_gradient.data(), Target<Sum>{sum + bias.offset, 1, hidden, limit});
  Outer<AnySteps> of_head{ws.states.data(), ws.dlogits.data(), {stride, layout.classes}, n};
  valid[2] =
      add_outer(of_head, Target<Sum>{sum + head.offset, hidden, classes, limit}, layout.classes);
  of_head.a = &one;
  of_head.steps.a = 0;
  valid[3] =
      add_outer(of_head, Target<Sum>{sum + head_bias.offset, 1, classes, limit}, layout.classes);
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
