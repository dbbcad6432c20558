"""The title, caption and alternative text of each picture of a report."""

PICTURES = {  # name: title, caption, alternative text
    "training_curves": (
        "Training",
        "Loss, accuracy and learning rate by epoch; training values are means over the epoch, "
        "with dropout and augmentation where the recipe has them.",
        "Line charts of loss, accuracy and learning rate by epoch, for training and validation.",
    ),
    "confusion_matrix": (
        "Confusion",
        "Rows are the true classes and columns the predicted ones; correct predictions are on the diagonal.",
        "Confusion matrix of the test images, coloured by the share of each true class.",
    ),
    "calibration": (
        "Calibration",
        "Bars below the dashed line mean that the model is more confident than accurate; "
        "the lower chart shows the share of images predicted with that confidence.",
        "Reliability diagram: accuracy against confidence in 15 bins, and the share of images in each.",
    ),
    "worst_mistakes": (
        "Worst mistakes",
        "The misclassified test images with the highest probability for the wrong class, highest first.",
        "Misclassified test images with their true class, predicted class and its probability.",
    ),
    "patches": (
        "Patches",
        "Each image and its grid of patches; the model computes one token from each.",
        "Test images, each next to its patches.",
    ),
    "position_similarity": (
        "Positions",
        "Each map belongs to one patch position and shows the similarity of its embedding to that of every "
        "position in the grid.",
        "Grid of maps of the cosine similarity between position embeddings.",
    ),
    "attention_rollout": (
        "Attention",
        "Where the information in the output comes from, estimated by attention rollout through all blocks; "
        "bright patches contribute most.",
        "Test images, each next to a heat map of attention rollout over it.",
    ),
    "attention_heads": (
        "Attention by head",
        "What each head of the last block attends to, from the tokens that the output is computed from; each "
        "map is relative to its own largest value.",
        "Test images, each next to one heat map for each attention head of the last block.",
    ),
    "patch_components": (
        "Features of the patches",
        "The first three principal components of the last block's features of all these patches, as red, "
        "green and blue: the model represents patches of one colour similarly.",
        "Test images, each next to a map of colours that stand for the features of its patches.",
    ),
}
