"""The tutorial's service: Flask, OpenCV and ONNX Runtime. MODEL is in the environment; PORT for the development server."""
import os

import cv2
import numpy as np
import onnxruntime
from flask import Flask, jsonify, request

options = onnxruntime.SessionOptions()
if os.environ.get("THREADS"):
    options.intra_op_num_threads = int(os.environ["THREADS"])
session = onnxruntime.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
app = Flask(__name__)


@app.post("/api/classify_digit")
def classify_digit():
    image = cv2.imdecode(np.frombuffer(request.get_data(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        return jsonify(error="no image"), 400
    image = cv2.resize(image, (28, 28), interpolation=cv2.INTER_AREA)
    probabilities = session.run(None, {name: image.astype(np.float32).reshape(1, 28, 28, 1)})[0][0]
    label = int(probabilities.argmax())
    return jsonify(label=str(label), probability=float(probabilities[label]), probabilities=probabilities.tolist())


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]))
