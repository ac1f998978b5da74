#pragma once

// CUDA's runtime as C++, for .cu files alone: memory, a stream, a graph, and launches whose
// failures are exceptions.

#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <lockstep/core/error.hpp>
#include <lockstep/core/handle.hpp>

namespace lockstep::cuda {

inline void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  throw Error(ExitCode::internal, std::string("the GPU failed while ") + what + ": " +
                                      cudaGetErrorString(error) +
                                      "; free its memory or run with --device cpu");
}

struct StreamTraits {
  using Type = cudaStream_t;
  static Type null() { return nullptr; }
  static void destroy(Type stream) noexcept { cudaStreamDestroy(stream); }
};

struct GraphTraits {
  using Type = cudaGraph_t;
  static Type null() { return nullptr; }
  static void destroy(Type graph) noexcept { cudaGraphDestroy(graph); }
};

struct GraphExecTraits {
  using Type = cudaGraphExec_t;
  static Type null() { return nullptr; }
  static void destroy(Type graph) noexcept { cudaGraphExecDestroy(graph); }
};

struct EventTraits {
  using Type = cudaEvent_t;
  static Type null() { return nullptr; }
  static void destroy(Type event) noexcept { cudaEventDestroy(event); }
};

using Stream = Handle<StreamTraits>;
using Event = Handle<EventTraits>;
using GraphExec = Handle<GraphExecTraits>;

inline Stream make_stream() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
  return Stream(stream);
}

inline Event make_event() {
  cudaEvent_t event = nullptr;
  check(cudaEventCreate(&event), "making an event");
  return Event(event);
}

/// The event is the time when the stream comes there.
inline void record(const Event& event, cudaStream_t stream) {
  check(cudaEventRecord(event.get(), stream), "recording an event");
}

/// What is enqueued on the stream from now on waits for the event that was recorded last; in a
/// capture of that event's stream it becomes a part of the graph.
inline void wait_for(const Event& event, cudaStream_t stream) {
  check(cudaStreamWaitEvent(stream, event.get(), 0), "waiting for an event");
}

/// Of events that the stream came to.
inline double seconds_between(const Event& begin, const Event& end) {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, begin.get(), end.get()), "reading an event");
  return 1e-3 * milliseconds;
}

/// What `work` enqueues on the stream, as a graph.
template <typename Work>
GraphExec capture(cudaStream_t stream, const Work& work) {
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capturing a graph");
  cudaGraph_t graph = nullptr;
  try {
    work();
  } catch (...) {
    cudaStreamEndCapture(stream, &graph);
    Handle<GraphTraits> unused(graph);
    throw;
  }
  check(cudaStreamEndCapture(stream, &graph), "capturing a graph");
  const Handle<GraphTraits> owner(graph);
  cudaGraphExec_t executable = nullptr;
  check(cudaGraphInstantiate(&executable, graph, 0), "making a graph");
  return GraphExec(executable);
}

/// Work that is done again and again: captured the first time, and one launch each time.
class Graph {
 public:
  /// `work` enqueues the same each time.
  template <typename Work>
  void launch(cudaStream_t stream, const Work& work) {
    if (!executable_) executable_ = capture(stream, work);
    check(cudaGraphLaunch(executable_.get(), stream), "launching a graph");
  }
  void reset() noexcept { executable_.reset(); }

 private:
  GraphExec executable_;
};

/// `size` values in the GPU's memory, undefined at first, or in the host's where it is pinned, so
/// that copies need not wait.
template <typename T, bool Pinned>
class Memory {
 public:
  Memory() = default;
  explicit Memory(std::size_t size) : size_(size) {
    void* memory = nullptr;
    const std::size_t bytes = std::max<std::size_t>(size, 1) * sizeof(T);
    check(Pinned ? cudaMallocHost(&memory, bytes) : cudaMalloc(&memory, bytes),
          "allocating memory");
    data_.reset(static_cast<T*>(memory));
  }

  T* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  std::span<T> span() const noexcept requires Pinned { return {data(), size_}; }

 private:
  struct Traits {
    using Type = T*;
    static Type null() { return nullptr; }
    static void destroy(Type data) noexcept { Pinned ? cudaFreeHost(data) : cudaFree(data); }
  };
  Handle<Traits> data_;
  std::size_t size_ = 0;
};

template <typename T>
using DeviceMemory = Memory<T, false>;
template <typename T>
using PinnedMemory = Memory<T, true>;

/// The host's side must stay as it is until the stream came there.
template <typename T>
void copy_to_device(std::span<const T> from, T* to, cudaStream_t stream) {
  check(cudaMemcpyAsync(to, from.data(), from.size_bytes(), cudaMemcpyHostToDevice, stream),
        "copying to it");
}

template <typename T>
void copy_to_host(const T* from, std::span<T> to, cudaStream_t stream) {
  check(cudaMemcpyAsync(to.data(), from, to.size_bytes(), cudaMemcpyDeviceToHost, stream),
        "copying from it");
}

template <typename T>
void clear(const DeviceMemory<T>& memory, cudaStream_t stream) {
  check(cudaMemsetAsync(memory.data(), 0, memory.size() * sizeof(T), stream),
        "clearing its memory");
}

inline void wait(cudaStream_t stream) {
  check(cudaStreamSynchronize(stream), "computing");
}

/// Whether the stream has nothing left to do.
inline bool is_done(cudaStream_t stream) {
  const cudaError_t state = cudaStreamQuery(stream);
  if (state == cudaErrorNotReady) return false;
  check(state, "computing");
  return true;
}

/// A copy of the values, when it returns.
template <typename T>
DeviceMemory<T> to_device(const std::vector<T>& values, cudaStream_t stream) {
  DeviceMemory<T> memory(values.size());
  copy_to_device(std::span(values), memory.data(), stream);
  wait(stream);
  return memory;
}

template <typename... Parameters>
using Kernel = void (*)(Parameters...);

/// How a kernel is launched.
struct LaunchShape {
  dim3 blocks;
  unsigned threads;
  /// Dynamic shared memory of a block; above 48 KB the kernel must have been given it by
  /// allow_shared().
  std::size_t shared_bytes = 0;
  /// It calls wait_for_kernel_before(), and may begin before that one has ended: sm_90 or newer.
  bool early = false;
};

template <typename... Parameters, typename... Arguments>
void launch(cudaStream_t stream, const LaunchShape& shape, Kernel<Parameters...> kernel,
            Arguments&&... arguments) {
  cudaLaunchAttribute early{};
  early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  early.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = shape.blocks;
  config.blockDim = dim3(shape.threads);
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = stream;
  config.attrs = &early;
  config.numAttrs = shape.early ? 1 : 0;
  check(cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...),
        "launching a kernel");
}

template <typename... Parameters, typename... Arguments>
void launch(cudaStream_t stream, dim3 blocks, unsigned threads, Kernel<Parameters...> kernel,
            Arguments&&... arguments) {
  launch(stream, LaunchShape{blocks, threads}, kernel, std::forward<Arguments>(arguments)...);
}

template <typename... Parameters>
void allow_shared(Kernel<Parameters...> kernel, std::size_t bytes) {
  check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                             cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)),
        "preparing a kernel");
}

/// Of the GPU that is current.
inline int attribute(cudaDeviceAttr which) {
  int device = 0, value = 0;
  check(cudaGetDevice(&device), "asking what it can do");
  check(cudaDeviceGetAttribute(&value, which, device), "asking what it can do");
  return value;
}

/// Whether the kernel may be launched early: whether its code waits for the kernel before it, which
/// that for older GPUs does not, though a newer one may run it.
template <typename... Parameters>
bool waits_for_kernel_before(Kernel<Parameters...> kernel) {
  cudaFuncAttributes attributes{};
  check(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(kernel)),
        "preparing a kernel");
  return attributes.ptxVersion >= 90;
}

/// Whether it can give a block of threads so much shared memory.
inline bool has_shared(std::size_t bytes) {
  return bytes <= static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin));
}

constexpr unsigned blocks_for(std::size_t n, unsigned threads) {
  return static_cast<unsigned>((n + threads - 1) / threads);
}

}  // namespace lockstep::cuda
