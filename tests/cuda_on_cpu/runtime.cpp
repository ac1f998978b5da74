#include "cuda_runtime.h"

#include <chrono>
#include <cstdlib>
#include <deque>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>

#include "races.hpp"

namespace cuda_on_cpu {

using Work = std::function<bool()>;  // whether it is done

using Places = std::vector<std::size_t>;

struct Graph {
  struct Node {
    Work work;
    Places after;  // of the nodes that it waits for
  };
  std::vector<Node> nodes;
  std::vector<Stream*> streams;  // that are captured into it beside the first
};

struct Event {
  std::chrono::steady_clock::time_point when;
  Stream* stream = nullptr;  // where it was recorded
  std::size_t recorded = 0, reached = 0;
  Places last;  // in the graph, of what it waits for
};

struct Stream {
  std::deque<Work> waiting;
  Graph* captured = nullptr;  // what is enqueued goes into it
  Places last;                // there, of what the next waits for
};

thread_local int living_graphs = 0;

void enqueue_waiting(Stream* stream, Work work) {
  if (stream == nullptr) throw std::invalid_argument("the default stream is not used");
  if (stream->captured != nullptr) {
    stream->captured->nodes.push_back({std::move(work), stream->last});
    stream->last = {stream->captured->nodes.size() - 1};
  } else {
    stream->waiting.push_back(std::move(work));
  }
}

void enqueue(Stream* stream, std::function<void()> work) {
  enqueue_waiting(stream, [work = std::move(work)] {
    work();
    return true;
  });
}

namespace {

/// As far as it goes.
void drain(Stream* stream) {
  if (stream->captured != nullptr) throw std::logic_error("a captured stream can't be waited for");
  while (!stream->waiting.empty() && stream->waiting.front()()) stream->waiting.pop_front();
}

/// One of those in which a node comes after all that it waits for.
Places some_order(const Graph& graph) {
  thread_local std::mt19937_64 random(1);
  std::vector<std::size_t> missing;
  std::vector<Places> then(graph.nodes.size());
  Places ready, order;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    missing.push_back(graph.nodes[i].after.size());
    for (const std::size_t before : graph.nodes[i].after) then[before].push_back(i);
    if (missing.back() == 0) ready.push_back(i);
  }
  while (!ready.empty()) {
    std::swap(ready[random() % ready.size()], ready.back());
    order.push_back(ready.back());
    ready.pop_back();
    for (const std::size_t next : then[order.back()]) {
      if (--missing[next] == 0) ready.push_back(next);
    }
  }
  return order;
}

}  // namespace
}  // namespace cuda_on_cpu

using namespace cuda_on_cpu;

unsigned long long atomicAdd(unsigned long long* to, unsigned long long value) {
  atomic_access(to, sizeof *to);
  return std::exchange(*to, *to + value);
}
unsigned atomicOr(unsigned* to, unsigned value) {
  atomic_access(to, sizeof *to);
  return std::exchange(*to, *to | value);
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  *memory = allocate_device(bytes);
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  if (memory != nullptr) free_device(memory);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
  *memory = std::malloc(bytes);
  return *memory == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  enqueue(stream, [=] {
    std::memcpy(to, from, bytes);
    const bool damaged = kind == cudaMemcpyHostToDevice && bytes == control.damaged_copy;
    if (bytes > 0 && damaged) *static_cast<unsigned char*>(to) ^= 1;
  });
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  enqueue(stream, [=] { std::memset(to, value, bytes); });
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new Stream;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  for (drain(stream); !stream->waiting.empty(); drain(stream)) std::this_thread::yield();
  return cudaSuccess;
}
/// Says "not yet" where there was something to do, which is done now as far as it goes.
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  if (stream->waiting.empty()) return cudaSuccess;
  drain(stream);
  return cudaErrorNotReady;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = new Event;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->stream = stream;
  if (stream->captured == nullptr) ++event->recorded;
  enqueue(stream, [event, count = event->recorded] {
    event->when = std::chrono::steady_clock::now();
    event->reached = count;
  });
  event->last = stream->last;
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  Graph* const graph = event->stream->captured;
  if (graph != nullptr) {
    if (stream->captured == nullptr) graph->streams.push_back(stream);
    stream->captured = graph;
    stream->last.insert(stream->last.end(), event->last.begin(), event->last.end());
    return cudaSuccess;
  }
  enqueue_waiting(stream, [event, count = event->recorded] {
    if (event->reached < count) drain(event->stream);
    return event->reached >= count;
  });
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  *milliseconds = std::chrono::duration<float, std::milli>(end->when - begin->when).count();
  return cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  stream->captured = new Graph;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = std::exchange(stream->captured, nullptr);
  stream->last.clear();
  for (Stream* other : (*graph)->streams) {
    other->captured = nullptr;
    other->last.clear();
  }
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  *executable = new Graph(*graph);
  ++living_graphs;
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  if (control.graphs_fail) return cudaErrorLaunchFailure;
  {
    const std::lock_guard lock(one_at_a_time);
    ++control.graph_launches;
  }
  for (const std::size_t place : some_order(*executable)) {
    enqueue_waiting(stream, executable->nodes[place].work);
  }
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  --living_graphs;
  delete executable;
  return cudaSuccess;
}
