#include "device_step.hpp"

#include <lockstep/core/fixed_point.hpp>
#include <lockstep/core/team.hpp>
#include <model/device_network.cuh>
#include <numeric>
#include <optim/device_adam.cuh>
#include <train/cuda/device_sum.cuh>

#include "pictures.hpp"

namespace lockstep {
namespace {

constexpr double learning_rate = 1e-2;

std::size_t samples(const Training& training) {
  return std::accumulate(training.blocks.begin(), training.blocks.end(), std::size_t{0});
}

template <typename T>
std::vector<T> to_host(const T* from, std::size_t n, cudaStream_t stream) {
  std::vector<T> values(n);
  cuda::copy_to_host(from, std::span(values), stream);
  cuda::wait(stream);
  return values;
}

}  // namespace

bool Trained::operator==(const Trained& other) const {
  const auto same = [](const Tally& a, const Tally& b) {
    return a.loss == b.loss && a.correct == b.correct && a.invalid == b.invalid;
  };
  return first_sum == other.first_sum && parameters == other.parameters &&
         first_moment == other.first_moment && second_moment == other.second_moment &&
         probabilities == other.probabilities && same(tally, other.tally) &&
         same(evaluation, other.evaluation);
}

Trained train_on_device(const Training& training) {
  const ModelShape& shape = training.shape;
  const std::size_t count = samples(training), n = parameter_count(shape);
  const Pictures pictures(shape, count);
  const Batch batch = pictures.batch();
  const std::size_t size = shape.rows * shape.columns;
  // They lie backwards on the device, so that the choice matters.
  std::vector<std::uint8_t> pixels(count * size), labels(count);
  std::vector<std::uint32_t> chosen(count);
  for (std::size_t i = 0; i < count; ++i) {
    chosen[i] = static_cast<std::uint32_t>(count - 1 - i);
    std::copy_n(batch.pictures[i], size, &pixels[chosen[i] * size]);
    labels[chosen[i]] = batch.labels[i];
  }
  const cuda::Stream stream = cuda::make_stream();
  cudaStream_t s = stream.get();
  const auto device_pixels = cuda::to_device(pixels, s);
  const auto device_labels = cuda::to_device(labels, s);
  const auto device_chosen = cuda::to_device(chosen, s);
  const DevicePictures from{device_pixels.data(), device_labels.data(), device_chosen.data(),
                            static_cast<unsigned>(count)};
  DeviceNetwork network(shape, training.limit, training.blocks, s);
  DeviceAdam adam(training.adam, n, count);
  const auto start = cuda::to_device(some_parameters(shape), s);
  const auto zeros = cuda::to_device(std::vector<float>(n), s);
  const AdamState first = adam.state();
  const auto copy = [&](const float* values, float* to) {
    cudaMemcpyAsync(to, values, n * sizeof(float), cudaMemcpyDeviceToDevice, s);
  };
  copy(start.data(), first.parameters);
  copy(zeros.data(), first.first_moment);
  copy(zeros.data(), first.second_moment);
  DeviceSum sum({n, 1, 0, count, count, true}, s);
  Trained result;
  for (std::size_t step = 1; step <= training.steps; ++step) {
    DeviceTurn turn;
    turn.rates[0] = adam_rate(training.adam, learning_rate, step);
    sum.ask(turn, s);
    network.run(adam.state().parameters, from, sum.tally(), s);
    network.add_gradient(sum.block(), sum.tally(), sum.checksum(), s);
    if (step == 1) result.first_sum = to_host(sum.block(), n, s);
    if (adam.clips()) adam.clip(sum.block(), s);
    sum.finish(0, adam.step(), s);
    sum.conclude(0, {nullptr, 0, nullptr}, s);
    sum.fetch(1, s);
    cuda::wait(s);
    result.tally += read_tail(sum.verdict(0).tail).tally;
    adam.advance(1);
  }
  const cuda::DeviceMemory<float> probabilities(count * shape.classes);
  const cuda::DeviceMemory<DeviceTally> evaluation(1);
  cuda::clear(evaluation, s);
  network.evaluate(adam.state().parameters, from, probabilities.data(), evaluation.data(), s);
  result.probabilities = to_host(probabilities.data(), probabilities.size(), s);
  const AdamState last = adam.state();
  result.parameters = to_host(last.parameters, n, s);
  result.first_moment = to_host(last.first_moment, n, s);
  result.second_moment = to_host(last.second_moment, n, s);
  result.evaluation = to_host(evaluation.data(), 1, s).front().exact();
  return result;
}

Trained train_by_reference(const Training& training) {
  const std::size_t count = samples(training), n = parameter_count(training.shape);
  const Pictures pictures(training.shape, count);
  const Batch all = pictures.batch();
  const auto engine = make_engine({.name = "reference", .limit = training.limit}, training.shape);
  Team team(1);
  Adam adam(training.adam, n);
  Trained result;
  result.parameters = some_parameters(training.shape);
  for (std::size_t step = 1; step <= training.steps; ++step) {
    engine->set_parameters(result.parameters);
    std::vector<std::int64_t> sum(n);
    std::size_t first = 0;
    for (const std::size_t size : training.blocks) {
      const Batch block{all.rows, all.columns, all.pictures.subspan(first, size),
                        all.labels.subspan(first, size)};
      result.tally += engine->add_gradient(block, sum, 0);
      first += size;
    }
    if (step == 1) result.first_sum = sum;
    adam.step(result.parameters, sum, count, learning_rate, step, team);
  }
  engine->set_parameters(result.parameters);
  result.probabilities.resize(count * training.shape.classes);
  result.evaluation = engine->evaluate(all, result.probabilities, 0);
  result.first_moment.assign(adam.first_moment().begin(), adam.first_moment().end());
  result.second_moment.assign(adam.second_moment().begin(), adam.second_moment().end());
  return result;
}

}  // namespace lockstep
