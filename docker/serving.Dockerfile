# Serves the SavedModel of an export with TensorFlow Serving, by REST on port 8501 and gRPC on 8500.
#
#     docker build -f docker/serving.Dockerfile -t photos runs/photos/export
#     docker run -p 8501:8501 photos
#     curl localhost:8501/v1/models/model   # then POST {"inputs": ...} to /v1/models/model:predict
#
# The last word is the folder that contains the SavedModel; `--build-arg MODEL=NAME` if it is not called saved_model.
# The signature `serve_encoded` takes JPEG and PNG files, and prepares them as the training did.
FROM tensorflow/serving:2.19.1
ARG MODEL=saved_model
COPY ${MODEL} /models/model/1
ENV MODEL_NAME=model
