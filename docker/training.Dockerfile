# Trains on NVIDIA GPUs. The driver is the host's; CUDA comes with TensorFlow's wheels.
#
#     docker build -f docker/training.Dockerfile -t keras-vit .
#     docker run --gpus all -v $PWD:/work keras-vit train vit_photos data=folder:photos --run-dir runs/photos
FROM python:3.12-slim
COPY . /src
RUN pip install --no-cache-dir "/src[gpu]"
WORKDIR /work
ENV HF_HOME=/work/.cache/huggingface KERAS_VIT_CACHE=/work/.cache/keras_vit
ENTRYPOINT ["keras-vit"]
