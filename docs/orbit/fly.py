"""Predict chips with an exported file: numpy and the file's runtime, nothing of llpbench.

python fly.py FILE CHIPS.npy...   prints a line of CSV for each chip
"""

import json
import sys
import zipfile

import numpy as np


def open_litert(path):
    """Return the card and a function from an array of one chip to what the file gives."""
    from ai_edge_litert.interpreter import Interpreter

    with zipfile.ZipFile(path) as archive:  # the card lies behind the graph
        card = json.loads(archive.read("llpbench.json"))
    interpreter = Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    (takes,) = interpreter.get_input_details()

    def run(chip):
        interpreter.set_tensor(takes["index"], chip)
        interpreter.invoke()
        return [interpreter.get_tensor(one["index"]) for one in interpreter.get_output_details()]

    return card, run


def open_onnx(path):
    """Return the same for a file of ONNX."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    card = json.loads(session.get_modelmeta().custom_metadata_map["llpbench"])
    return card, lambda chip: session.run(None, {"images": chip})


def main(path, *files):
    """Print the predicted shares of all chips."""
    with open(path, "rb") as file:
        is_litert = file.read(8)[4:] == b"TFL3"
    card, run = (open_litert if is_litert else open_onnx)(path)
    print(",".join(["chip", *card["classes"]]))
    for name in files:
        chips = np.load(name)  # (n, 96, 96, 3): score windows, numbers as they are stored
        assert (*chips.shape[1:], chips.dtype) == (*card["shape"], card["dtype"])
        for number, chip in enumerate(chips):
            (shares,) = next(one for one in run(chip[np.newaxis]) if one.ndim == 2)
            print(",".join([f"{name}:{number}", *(f"{share:.6f}" for share in shares)]))


if __name__ == "__main__":
    main(*sys.argv[1:])
