"""Which operators of torch a program may use: those that compute on tensors and numbers, and touch nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import torch

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from torch._ops import OpOverload

_TARGET = re.compile(r"torch\.ops\.(aten|prims)\.([A-Za-z_]\w*)\.(\w+)")
_TYPE = re.compile(
    r"(?:(?:Optional|List)\[)*(Tensor|int|float|bool|number|complex|ScalarType|Device|Layout|MemoryFormat|Generator|str)\]*"
)
TEXTS = frozenset(
    [
        "gelu",
        "gelu_",
        "div",
        "div_",
        "divide",
        "divide_",
        "scatter",
        "scatter_",
        "scatter_reduce",
        "scatter_reduce_",
        "index_reduce",
        "index_reduce_",
        "einsum",
        "conv1d",
        "conv2d",
        "conv3d",
        "pad",
        "meshgrid",
        "searchsorted",
        "bucketize",
        "quantile",
        "nanquantile",
        "fft_fft",
        "fft_fft2",
        "fft_fftn",
        "fft_hfft",
        "fft_ifft",
        "fft_ifft2",
        "fft_ifftn",
        "fft_ihfft",
        "fft_irfft",
        "fft_irfft2",
        "fft_irfftn",
        "fft_rfft",
        "fft_rfft2",
        "fft_rfftn",
        "linalg_eigh",
        "linalg_eigvalsh",
        "linalg_norm",
        "linalg_matrix_norm",
        "linalg_qr",
        "linalg_svd",
        "linalg_svdvals",
        "linalg_cond",
        "segment_reduce",
        "pad_sequence",
        "_convolution_mode",
        "_assert_scalar",
        "_functional_assert_scalar",
        "_assert_async",
        "_functional_assert_async",
        "_linalg_eigh",
        "_linalg_svd",
    ]
)
"""Operators with a parameter that is a text and names a way to compute. All others with a text are refused: `save` and
`from_file` write and read files of any name."""
PRIVATE = frozenset(
    [
        "_softmax",
        "_log_softmax",
        "_safe_softmax",
        "_masked_softmax",
        "_native_batch_norm_legit",
        "_native_batch_norm_legit_no_training",
        "_native_batch_norm_legit_functional",
        "_batch_norm_no_update",
        "_batch_norm_with_update",
        "_batch_norm_with_update_functional",
        "_scaled_dot_product_flash_attention",
        "_scaled_dot_product_flash_attention_for_cpu",
        "_scaled_dot_product_efficient_attention",
        "_scaled_dot_product_attention_math",
        "_scaled_dot_product_attention_math_for_mps",
        "_scaled_dot_product_cudnn_attention",
        "_scaled_dot_product_fused_attention_overrideable",
        "_fused_sdp_choice",
        "_to_copy",
        "_unsafe_view",
        "_unsafe_index",
        "_adaptive_avg_pool2d",
        "_adaptive_avg_pool3d",
        "_assert_tensor_metadata",
        "_assert_scalar",
        "_assert_async",
        "_functional_assert_scalar",
        "_functional_assert_async",
        "_cdist_forward",
        "_pdist_forward",
        "_euclidean_dist",
        "_embedding_bag",
        "_embedding_bag_forward_only",
        "_trilinear",
        "_upsample_bilinear2d_aa",
        "_upsample_bicubic2d_aa",
        "_upsample_nearest_exact1d",
        "_upsample_nearest_exact2d",
        "_upsample_nearest_exact3d",
        "_upsample_lanczos2d_aa",
        "_weight_norm",
        "_weight_norm_interface",
        "_convolution",
        "_convolution_mode",
        "_addmm_activation",
        "_conj",
        "_conj_physical",
        "_neg_view",
        "_local_scalar_dense",
        "_reshape_alias",
        "_reshape_copy",
        "_shape_as_tensor",
        "_stack",
        "_unique2",
        "_prelu_kernel",
        "_fft_c2c",
        "_fft_r2c",
        "_fft_c2r",
        "_linalg_det",
        "_linalg_eigh",
        "_linalg_svd",
        "_linalg_slogdet",
        "_linalg_solve_ex",
        "_native_multi_head_attention",
        "_transformer_encoder_layer_fwd",
        "_is_all_true",
        "_is_any_true",
        "_aminmax",
        "_log_softmax_backward_data",
        "_lazy_clone",
        "_int_mm",
        "_weight_int8pack_mm",
        "_weight_int4pack_mm_for_cpu",
        "_unsafe_masked_index",
        "_chunk_cat",
        "_logcumsumexp",
        "_cummax_helper",
        "_test_check_tensor",
        "_thnn_fused_lstm_cell",
        "_thnn_fused_gru_cell",
        "_version",
        "_dim_arange",
        "_has_same_storage_numel",
    ]
)
"""Operators whose names begin with an underscore, and that exported programs use. Others trust what they are given, as
`_sparse_coo_tensor_unsafe` does, and could reach memory that is not theirs."""
COUNTED = frozenset({"repeat_interleave.Tensor", "repeat_interleave.self_Tensor"})
"""Forms of operators whose result is as large as the numbers in a tensor say."""
REFUSED = frozenset(
    [
        "save",
        "from_file",
        "manual_seed",
        "set_grad_enabled",
        "set_data",
        "set_",
        "set",
        "resize",
        "resize_",
        "resize_as_",
        "backward",
        "retain_grad",
        "bincount",
        "record_stream",
        "copy_sparse_to_sparse_",
        "sparse_resize_",
        "sparse_resize_and_clear_",
        "q_scale",
        "refine_names",
        "rename",
        "rename_",
        "to_here",
        "wait",
        "grad",
        "sym_constrain_range_for_size_",
        "_foobar",
        "unsafe_chunk_",
        "storage_offset_",
        "as_strided_scatter_",
        "data_ptr",
    ]
)
"""Operators that compute on tensors in form only: they set what the process shares, or take as much memory as a number says."""
UNSET = frozenset({"empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided"})
"""Operators whose result is memory as it was left, by whatever wrote there before. It is filled with zeros."""
LOGIC = frozenset({f"__{name}__" for name in ("and", "or", "xor", "lshift", "rshift", "iand", "ior", "ixor")})
PRIMS = frozenset({"convert_element_type", "iota", "broadcast_in_dim", "collapse", "transpose", "device_put", "fma"})


def operator(target: str, where: str) -> OpOverload:
    """The operator of that name, such as "torch.ops.aten.relu.default".

    Raises:
        UsageError: a program may not use it, or this torch has none of that name.
    """
    match = _TARGET.fullmatch(target)
    if match is None:
        raise _refusal(target, where)
    library, name, overload = match.groups()
    if (
        name in REFUSED
        or f"{name}.{overload}" in COUNTED
        or (name in UNSET and "out" in overload)
        or (name.startswith("__") and name not in LOGIC)
        or (library == "prims" and name not in PRIMS)
    ):
        raise _refusal(target, where)
    if name.startswith("_") and name not in PRIVATE and name not in LOGIC:
        raise _refusal(target, where)
    try:
        packet = getattr(getattr(torch.ops, library), name)
        found = getattr(packet, overload)
    except (AttributeError, RuntimeError):
        raise UsageError(f"{where} uses {target:.80}, which this version of torch ({torch.__version__}) has not") from None
    if not isinstance(found, torch._ops.OpOverload) or not torch._C._dispatch_has_kernel(found.name()):  # noqa: SLF001 - no other way
        raise _refusal(target, where)
    for argument in found._schema.arguments:  # noqa: SLF001 - the public way to a schema begins with this one
        kind = _TYPE.fullmatch(str(argument.real_type))
        if kind is None or (kind[1] == "str" and name not in TEXTS):
            raise _refusal(target, where)
    return found


def is_unset(function: object) -> bool:
    """Whether the result of a function is memory that nobody has written to."""
    return isinstance(function, torch._ops.OpOverload) and function._schema.name.partition("::")[2] in UNSET  # noqa: SLF001


def _refusal(target: str, where: str) -> UsageError:
    return UsageError(
        f"{where} uses {target!r:.80}, which is none of the operators that compute on tensors alone; the file was refused. "
        "If it is your own, give the network as a python: target, with --trust"
    )
