"""Measures what quantization does to a model with outliers: accuracy and agreement of each variant.

    python benchmarks/outlier_model.py --data-dir TFDS --out outliers.keras
    python benchmarks/outliers.py outliers.keras --data-dir TFDS

Fashion-MNIST, the first 1,000 test images; 256 training images for calibration. The drop is in points of
accuracy, the agreement the share of images with the model's class.
"""

import argparse
import tempfile

import keras
from outlier_model import fashion_mnist

import keras_vit.layers  # noqa: F401  so that the model loads
from keras_vit.export import export_model
from keras_vit.export.variants import VARIANTS

TEST_IMAGES, CALIBRATION_IMAGES = 1000, 256
QUANTIZED = [name for name, variant in VARIANTS.items() if variant.rules and name != "int16x8"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="the .keras file of outlier_model.py")
    parser.add_argument("--data-dir", help="where tensorflow-datasets keeps its data")
    parser.add_argument("--variants", nargs="+", default=QUANTIZED, help="default: %(default)s")
    options = parser.parse_args()
    images, labels = (array[:TEST_IMAGES] for array in fashion_mnist(options.data_dir, "test"))
    with tempfile.TemporaryDirectory() as folder:
        export_model(
            keras.models.load_model(options.model),
            folder,
            inputs=images,
            labels=labels,
            task="classification",
            activation="softmax",
            variants=options.variants,
            calibration=fashion_mnist(options.data_dir, "train")[0][:CALIBRATION_IMAGES],
            max_drop=100,
            report=show,
        )


def show(rows):
    print("| variant | accuracy | drop | agreement | MB |\n| --- | --- | --- | --- | --- |")
    for row in rows:
        figures = f"{100 * row['score']:.1f} % | {row['drop']:+.1f} | {100 * row['agreement']:.1f} %"
        print(f"| {row['variant']} | {figures} | {row['size'] / 1e6:.2f} |")


if __name__ == "__main__":
    main()
