"""A new embedding held against the one that a method was trained on."""

from __future__ import annotations

from llpbench.data.building import Recipe
from llpbench.data.building.embedding_files import inspect_embeddings
from llpbench.data.building.recording import record_embedding
from llpbench.data.recipe import EmbeddingRecipe, ImageRecipe
from llpbench.errors import BuildError


def check_embedding(known: ImageRecipe, wanted: Recipe) -> tuple[list[str], list[str]]:
    """Hold an embedding against the one trained on.

    Another model or version means another thing by the same numbers; another year is what a map of
    that year is made of.

    Returns
    -------
    remarks, faults : list of str
        What is otherwise, and why it is of another kind.

    Raises
    ------
    BuildError
        If there is none where one is needed, or images where none were trained on, or the other
        way about.
    """
    trained = [("image", known.count > 0, wanted.has_images)]
    trained += [("embedding", known.embedding is not None, bool(wanted.embeddings))]
    for name, is_known, given in trained:
        if is_known and not given:
            raise BuildError(
                f"the method was trained on an {name}, which the new region lacks; give it with "
                f"--{name}"
            )
        if given and not is_known:
            raise BuildError(f"the method was trained without an {name}; leave --{name} away")
    if known.embedding is None:
        return [], []
    files, _ = inspect_embeddings(
        wanted.embeddings, wanted.embedding_coding, wanted.embedding_origin
    )
    found = record_embedding(files)
    assert found is not None
    remarks = []
    if found.year != known.embedding.year:
        years = (str(year or "an unknown year") for year in (found.year, known.embedding.year))
        remarks.append("the embedding is of {}, trained on {}".format(*years))
    return remarks, _differences(known.embedding, found)


def _differences(known: EmbeddingRecipe, found: EmbeddingRecipe) -> list[str]:
    name = found.files[0]
    kinds = [(recipe.model, recipe.version, recipe.features) for recipe in (found, known)]
    if kinds[0] != kinds[1]:
        return [f"{name} is an {found}, trained on an {known}"]
    if (found.dtype, found.coding) != (known.dtype, known.coding):
        return [f"{name} codes its numbers ({found.dtype}) otherwise than those trained on"]
    return []
