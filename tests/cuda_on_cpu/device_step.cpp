#include "device_step.hpp"

#include <lockstep/core/fixed_point.hpp>
#include <lockstep/core/team.hpp>
#include <model/device_network.cuh>
#include <numeric>
#include <optim/device_adam.cuh>

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
  const auto parameters = cuda::to_device(some_parameters(shape), s);
  const DevicePictures from{device_pixels.data(), device_labels.data(), device_chosen.data(),
                            static_cast<unsigned>(count)};
  DeviceNetwork network(shape, training.limit, training.blocks, s);
  DeviceAdam adam(training.adam, n);
  const auto zeros = cuda::to_device(std::vector<float>(n), s);
  for (float* moment : {adam.first_moment(), adam.second_moment()}) {
    cudaMemcpyAsync(moment, zeros.data(), n * sizeof(float), cudaMemcpyDeviceToDevice, s);
  }
  const cuda::DeviceMemory<std::int64_t> sum(n);
  const cuda::DeviceMemory<DeviceTally> tallies(2);
  cuda::clear(sum, s);
  cuda::clear(tallies, s);
  Trained result;
  for (std::size_t step = 1; step <= training.steps; ++step) {
    network.run(parameters.data(), from, tallies.data(), s);
    network.add_gradient(sum.data(), tallies.data(), s);
    if (step == 1) result.first_sum = to_host(sum.data(), n, s);
    const auto turn =
        cuda::to_device(std::vector<AdamTurn>{{fixed_point_unit / static_cast<double>(count),
                                               adam_rate(training.adam, learning_rate, step), 1}},
                        s);
    adam.step(parameters.data(), sum.data(), turn.data(), s);
    cuda::wait(s);
  }
  const cuda::DeviceMemory<float> probabilities(count * shape.classes);
  network.evaluate(parameters.data(), from, probabilities.data(), tallies.data() + 1, s);
  result.probabilities = to_host(probabilities.data(), probabilities.size(), s);
  result.parameters = to_host(parameters.data(), n, s);
  result.first_moment = to_host(adam.first_moment(), n, s);
  result.second_moment = to_host(adam.second_moment(), n, s);
  const auto both = to_host(tallies.data(), 2, s);
  result.tally = both[0].exact();
  result.evaluation = both[1].exact();
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
