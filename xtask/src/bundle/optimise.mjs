// Optimises WebAssembly modules for size, all of them in one process: binaryen itself takes longer to start than a small
// module takes to optimise. `node optimise.mjs BINARYEN FOLDER…`: in each folder `before.wasm` becomes `after.wasm`.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [library, ...folders] = process.argv.slice(2);
const { default: binaryen } = await import(library);
const { Features } = binaryen;

// What rustc and wasm-bindgen emit for wasm32-unknown-unknown. Naming them keeps binaryen from refusing a module, and from
// using anything that browsers older than these would not load.
const FEATURES =
  Features.BulkMemory |
  Features.BulkMemoryOpt |
  Features.CallIndirectOverlong |
  Features.Multivalue |
  Features.MutableGlobals |
  Features.NontrappingFPToInt |
  Features.ReferenceTypes |
  Features.SignExt;

// What `wasm-opt -Oz` sets.
binaryen.setOptimizeLevel(2);
binaryen.setShrinkLevel(2);
binaryen.setGenerateStackIR(true);
binaryen.setOptimizeStackIR(true);
binaryen.setDebugInfo(false);

for (const folder of folders) {
  const module = binaryen.readBinary(readFileSync(join(folder, 'before.wasm')));
  module.setFeatures(FEATURES);
  module.optimize();
  const part = join(folder, 'part.wasm');
  writeFileSync(part, module.emitBinary());
  module.dispose();
  renameSync(part, join(folder, 'after.wasm'));
}
