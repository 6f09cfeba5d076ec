"""Programs of torch.export (`.pt2`), read and computed without a line of code from the file.

torch's own reader can't be given a file of a stranger. It unpickles example inputs, evaluates expressions, executes the
conditions on the inputs as Python source, imports modules that the file names, looks operators up by any dotted name, and
loads native code from packages of AOTInductor. Nothing of the file is passed to that reader here:

- `archive` reads the zip file: members that are stored plainly, each named once, none over another;
- `pickles` looks at what the pickles in it would build, without building it;
- `weights` makes tensors of raw bytes;
- `operators` is the list of what a program may compute with, and `symbols` the arithmetic on sizes;
- `program` makes records of the JSON, `conditions` does so for conditions on the size of the input;
- `network` computes.
"""

from __future__ import annotations
