"""Search spaces: which fields of a recipe vary, and within which values.

`Search` pairs a recipe with a function that declares its space, `SpaceBuilder` receives those declarations,
`SpaceOverride` is what the user changes of them (`field=low:high`), and `Space` is the result. A new kind of
hyperparameter is a method of `SpaceBuilder`; a new form of override is a branch of `SpaceOverride.parse`.
"""
