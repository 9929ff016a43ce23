// A module is instantiated once, whichever pack brings it first: again would put its data back to what it was.
const instances = new Map();
function instantiate(name, bytes) {
    let instance = instances.get(name);
    if (instance === undefined) {
        instance = WebAssembly.instantiate(bytes, getSharedImports());
        instances.set(name, instance);
    }
    return instance;
}

// Fetches a pack, once unless it fails: the next one who asks tries again.
function pack(file, modules) {
    const load = async () => {
        const answer = await fetch(new URL(file, import.meta.url));
        if (!answer.ok) {
            throw new Error(`${file}: ${answer.status}`);
        }
        const bytes = await answer.arrayBuffer();
        let start = 0;
        await Promise.all(modules.map(([name, length]) => {
            start += length;
            return instantiate(name, new Uint8Array(bytes, start - length, length));
        }));
    };
    let loading;
    return () => loading ??= load().catch((error) => {
        loading = undefined;
        throw error;
    });
}

function page(...packs) {
    return wrapAsyncCb(() => Promise.all(packs.map((pack) => pack())));
}

