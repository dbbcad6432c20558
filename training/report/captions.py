"""What the page says about each picture."""

PICTURES = {  # name: title, caption, alternative text
    "training_curves": (
        "Training",
        "Loss, accuracy and learning rate by epoch; training values are means over the epoch, "
        "with dropout and augmentation where the recipe has them.",
        "Line charts of loss, accuracy and learning rate by epoch, for training and validation.",
    ),
    "confusion_matrix": (
        "Confusion",
        "Rows are the true classes and columns the predicted ones; right answers lie on the diagonal.",
        "Confusion matrix of the test images, coloured by the share of each true class.",
    ),
    "calibration": (
        "Calibration",
        "Where bars lie below the dashed line the model is surer than it is right; "
        "the lower chart shows how many images are predicted with that confidence.",
        "Reliability diagram: accuracy against confidence in 15 bins, and the share of images in each.",
    ),
    "worst_mistakes": (
        "Worst mistakes",
        "The misclassified test images with the highest probability for the wrong class, highest first.",
        "Misclassified test images with their true class, predicted class and its probability.",
    ),
    "patches": (
        "Patches",
        "Each image beside its grid of patches, for each of which the model makes one token.",
        "Test images, each beside its patches.",
    ),
    "position_similarity": (
        "Positions",
        "Each map belongs to one patch position and shows how alike its embedding is to that of every "
        "position in the grid.",
        "Grid of maps of the cosine similarity between position embeddings.",
    ),
    "attention_rollout": (
        "Attention",
        "From where information reaches the output, estimated by attention rollout through all blocks; "
        "bright patches contribute most.",
        "Test images, each beside a heat map of attention rollout over it.",
    ),
    "attention_heads": (
        "Attention by head",
        "Where each head of the last block looks, from what the output is read from; every map is relative "
        "to its own largest value.",
        "Test images, each beside one heat map for each attention head of the last block.",
    ),
    "patch_components": (
        "Features of the patches",
        "The first three principal components of the last block's features of all these patches, as red, "
        "green and blue: patches of one colour are alike to the model.",
        "Test images, each beside a map of colours that stand for the features of its patches.",
    ),
}
