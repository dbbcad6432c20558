"""Measures how well the probabilities of runs and of their exported files are calibrated, on the test split.

    python benchmarks/calibration.py runs/digits runs/cifar10 [--file model_fp32.tflite] [--data-dir DIR]

For each run: the expected calibration error (15 bins) of the model's own probabilities, and of the file,
whose outputs are calibrated by the validation split. The last column is what a perfectly calibrated model
would show on as many images in 95 of 100 draws: less cannot be known.
"""

import argparse

from keras_vit.export import load_predictor
from keras_vit.training.classification_metrics import classification_metrics
from keras_vit.training.run import load_run
from keras_vit.training.tasks.images import predict_outputs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--file", default="model_dynamic_int8.tflite")
    parser.add_argument("--data-dir")
    options = parser.parse_args()
    print(f"{'run':<24}{'images':>8}{'accuracy':>10}{'own':>8}{'file':>8}{'chance':>8}")
    for name in options.runs:
        run = load_run(name, options.data_dir)
        labels, images = run.data.test.labels, run.data.test.images
        own = run.task.target.answers(predict_outputs(run.model, images))
        file = load_predictor(run.folder.export / options.file).probabilities(images[:])
        found = [classification_metrics(answers, labels, run.data.label_names) for answers in (own, file)]
        accuracy = found[1]["accuracy"]
        errors = [metrics["expected_calibration_error"] for metrics in found]
        shown = "".join(f"{value:>8.4f}" for value in (*errors, found[1]["calibration_error_by_chance"]))
        print(f"{name:<24}{len(labels):>8,}{100 * accuracy:>9.2f}%{shown}")


if __name__ == "__main__":
    main()
