#include <algorithm>
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <lockstep/comm/processor_share.hpp>
#include <lockstep/core/fixed_point.hpp>
#include <lockstep/core/team.hpp>
#include <lockstep/data/shards.hpp>

#include "commands.hpp"
#include "model_argument.hpp"
#include "output.hpp"

namespace lockstep {

namespace {

constexpr std::size_t pictures_at_once = 4096;

struct Figures {
  double loss = 0;
  double accuracy = 0;
};

/// Evaluates pictures with all threads; the tallies are exact, so that any division gives the same.
Tally evaluate(Engine& engine, Team& team, const Samples& samples) {
  std::vector<const std::uint8_t*> pictures(samples.size());
  for (std::size_t i = 0; i < pictures.size(); ++i) pictures[i] = samples.picture(i);
  std::vector<Tally> tallies(team.size());
  team.run([&](std::size_t worker) {
    const auto [begin, end] = part(samples.size(), team.size(), worker);
    const Batch batch{samples.rows, samples.columns,
                      std::span(pictures).subspan(begin, end - begin),
                      std::span(samples.labels).subspan(begin, end - begin)};
    tallies[worker] = engine.evaluate(batch, {}, worker);
  });
  Tally sum;
  for (const Tally& tally : tallies) sum += tally;
  return sum;
}

/// Throws Error (non_finite) naming the first sample whose loss is invalid. The samples begin at
/// image `first` of `set`.
[[noreturn]] void refuse(const std::string& model, Engine& engine, const Samples& samples,
                         const std::string& set, std::size_t first) {
  std::size_t i = 0;
  const auto is_invalid = [&] {
    const std::uint8_t* picture = samples.picture(i);
    const Batch batch{
        samples.rows, samples.columns, {&picture, 1}, std::span(samples.labels).subspan(i, 1)};
    return engine.evaluate(batch, {}, 0).invalid != 0;
  };
  while (i + 1 < samples.size() && !is_invalid()) ++i;
  throw Error(
      ExitCode::non_finite,
      fmt::format("{}: its loss on {} image {} (from 0) is not finite or is at least {}; train "
                  "the model again, with --clip-norm 1 or a lower --learning-rate",
                  model, set, first + i, loss_limit));
}

template <typename Load>
Figures figures(const std::string& model, Engine& engine, Team& team, const std::string& set,
                std::size_t size, Load load) {
  Tally sum;
  for (std::size_t first = 0; first < size; first += pictures_at_once) {
    const Samples samples = load(first, std::min(pictures_at_once, size - first));
    sum += evaluate(engine, team, samples);
    if (sum.invalid != 0) refuse(model, engine, samples, set, first);
  }
  const auto count = static_cast<double>(std::max<std::size_t>(1, size));
  return {loss_from_fixed(sum.loss) / count, static_cast<double>(sum.correct) / count};
}

void check_shape(const Model& model, Dataset& data) {
  const ModelShape& shape = model.shape;
  if (data.rows() == shape.rows && data.columns() == shape.columns &&
      data.classes() == shape.classes) {
    return;
  }
  throw Error(ExitCode::data,
              fmt::format("{}: {} x {} pictures of {} classes, but the model reads {} x {} of {}; "
                          "name the data it was trained on: --data",
                          data.name(), data.rows(), data.columns(), data.classes(), shape.rows,
                          shape.columns, shape.classes));
}

void print_figures(const Options& options, const Dataset& data, const Figures& validation,
                   const Figures& test) {
  if (options.json) {
    const nlohmann::ordered_json json{{"data", data.name()},
                                      {"validation_loss", validation.loss},
                                      {"validation_accuracy", validation.accuracy},
                                      {"test_loss", test.loss},
                                      {"test_accuracy", test.accuracy}};
    using nlohmann::ordered_json;
    return print(json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
  }
  const char* prefix = data.synthetic() ? "[synthetic] " : "";
  print(fmt::format(
      "{0}Val Loss: {1:.3f}, Val Acc: {2:.3f}\n{0}Test Loss: {3:.3f}, Test Acc: {4:.3f}\n", prefix,
      validation.loss, validation.accuracy, test.loss, test.accuracy));
}

}  // namespace

void run_evaluate(const Options& options, Communicator& world) {
  const std::size_t share = processor_share(world);
  on_first_rank(world, [&] {
    const Model model = read_model(model_argument(options));
    const auto data = open_dataset(options.run.data);
    check_shape(model, *data);
    Team team(options.run.threads == 0 ? share : options.run.threads);
    const auto engine = make_engine(options, model, team.size());
    const Figures validation =
        figures(options.model, *engine, team, "validation", data->validation_size(),
                [&](auto i, auto n) { return data->validation(i, n); });
    const Figures test = figures(options.model, *engine, team, "test", data->test_size(),
                                 [&](auto i, auto n) { return data->test(i, n); });
    print_figures(options, *data, validation, test);
  });
}

}  // namespace lockstep
