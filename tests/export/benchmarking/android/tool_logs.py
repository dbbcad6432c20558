"""What the real `benchmark_model` printed on phones, where people published it."""

# A file of 49 operators on a phone, CPU and GPU: published in a public repository with the program that it
# belongs to (`mask_estimator_phy.tflite`); the second run asked for GPU and NNAPI together.
CPU = """\
INFO: STARTING!
INFO: Log parameter values verbosely: [0]
INFO: Num threads: [4]
INFO: Graph: [/data/local/tmp/mask_estimator_phy.tflite]
INFO: Signature to run: []
INFO: #threads used for CPU inference: [4]
INFO: Loaded model /data/local/tmp/mask_estimator_phy.tflite
INFO: Initialized TensorFlow Lite runtime.
INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
VERBOSE: Replacing 49 out of 49 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 1 partitions for subgraph 0.
INFO: The input model file size (MB): 16.1527
INFO: Initialized session in 102.32ms.
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
INFO: count=1 curr=670083 p5=670083 median=670083 p95=670083

INFO: Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
INFO: count=50 first=591245 curr=917186 min=502355 max=2270688 avg=699438 std=325425 p5=502674 median=576856 p95=1373207

INFO: Inference timings in us: Init: 102320, First inference: 670083, Warmup (avg): 670083, Inference (avg): 699438
INFO: Memory footprint delta from the start of the tool (MB): init=98.0977 overall=99.2031
"""  # noqa: E501
GPU_AND_NPU = """\
INFO: STARTING!
INFO: Use gpu: [1]
INFO: Use NNAPI: [1]
INFO: NNAPI accelerators available: [nnapi-reference]
INFO: Loaded model /data/local/tmp/mask_estimator_phy.tflite
INFO: Initialized TensorFlow Lite runtime.
INFO: Created TensorFlow Lite delegate for GPU.
INFO: GPU delegate created.
INFO: Created TensorFlow Lite delegate for NNAPI.
INFO: Going to apply 2 delegates one after another.
INFO: Loaded OpenCL library with dlopen.
VERBOSE: Replacing 49 out of 49 node(s) with delegate (TfLiteGpuDelegateV2) node, yielding 1 partitions for subgraph 0.
INFO: Initialized OpenCL-based API.
INFO: Created 1 GPU delegate kernels.
INFO: Explicitly applied GPU delegate, and the model graph will be completely executed by the delegate.
INFO: Though NNAPI delegate is explicitly applied, the model graph will not be executed by the delegate.
INFO: The input model file size (MB): 16.1527
INFO: Initialized session in 5664.36ms.
INFO: count=2 first=328140 curr=309932 min=309932 max=328140 avg=319036 std=9104 p5=309932 median=328140 p95=328140

INFO: count=50 first=307215 curr=309783 min=305938 max=333030 avg=309350 std=4411 p5=306372 median=307968 p95=315711

INFO: Inference timings in us: Init: 5664363, First inference: 328140, Warmup (avg): 319036, Inference (avg): 309350
INFO: Memory footprint delta from the start of the tool (MB): init=375.48 overall=375.48
"""  # noqa: E501

# An LSTM that NNAPI takes in part: github.com/tensorflow/tensorflow/issues/56301, as logcat shows it.
NPU_IN_PART = """\
05-30 15:16:44.857  3380  3380 I tflite  : Explicitly applied NNAPI delegate, and the model graph will be partially executed by the delegate w/ 44 delegate kernels.
05-30 15:16:44.858  3380  3380 I tflite  : The input model file size (MB): 0.113392
05-30 15:16:44.858  3380  3380 I tflite  : Initialized session in 126.059ms.
05-30 15:16:45.362  3380  3380 I tflite  : count=40 first=32942 curr=12594 min=11340 max=32942 avg=12581.9 std=3331
05-30 15:16:46.365  3380  3380 I tflite  : count=75 first=12840 curr=11853 min=11787 max=13649 avg=12167.6 std=325
05-30 15:16:46.366  3380  3380 I tflite  : Inference timings in us: Init: 126059, First inference: 32942, Warmup (avg): 12581.9, Inference (avg): 12167.6
"""  # noqa: E501

# The GPU takes 29 of 65 operators, XNNPACK 25 of the 37 that are left then:
# discuss.ai.google.dev/t/understand-tflite-model-running-on-android-gpu/27507 (without times).
GPU_IN_PART = """\
Created TensorFlow Lite delegate for GPU.
Replacing 29 out of 65 node(s) with delegate (TfLiteGpuDelegateV2) node, yielding 3 partitions for the whole graph.
Initialized OpenCL-based API.
Created 1 GPU delegate kernels.
Replacing 25 out of 37 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 2 partitions for the whole graph.
"""  # noqa: E501

# A platform without a GPU delegate, where the tool goes on without a word on the CPU: results of a public
# benchmarking service of 2021. Of older tools there is neither a median nor the number of operators.
NO_GPU = """\
STARTING!
Num threads: [4]
#threads used for CPU inference: [4]
Use gpu: [1]
Use xnnpack: [1]
GPU acceleration is unsupported on this platform.
XNNPACK delegate created.
Going to apply 1 delegates one after another.
Explicitly applied XNNPACK delegate, and the model graph will be partially executed by the delegate w/ 22 delegate kernels.
The input model file size (MB): 0.541472
Initialized session in 18.738ms.
count=6 first=140706 curr=74599 min=74599 max=140706 avg=85791.2 std=24559

count=50 first=74456 curr=74516 min=73909 max=75323 avg=74481.6 std=268

Inference timings in us: Init: 18738, First inference: 140706, Warmup (avg): 85791.2, Inference (avg): 74481.6
Peak memory footprint (MB): init=6.44141 overall=64.8633
"""  # noqa: E501
