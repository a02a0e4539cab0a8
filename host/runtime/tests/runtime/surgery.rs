//! Components that no toolchain makes: a good one with more in it, and one that
//! takes very long to compile.

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id][..], &leb(content.len()), content].concat()
}

/// How many core modules a component defines itself.
fn modules(component: &[u8]) -> usize {
    const MODULE: u8 = 1;
    let (mut at, mut count) = (8, 0);
    while at < component.len() {
        count += usize::from(component[at] == MODULE);
        at += 1;
        let (mut length, mut shift) = (0, 0);
        loop {
            let byte = usize::from(component[at]);
            at += 1;
            length |= (byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        at += length;
    }
    count
}

/// The component with one core module more, and so many instances of it: what
/// the module does at its start happens whenever the component is used.
pub(crate) fn with_instances(component: &[u8], module: &[u8], count: usize) -> Vec<u8> {
    // An instance of that module, without arguments.
    let one = [&[0][..], &leb(modules(component)), &[0]].concat();
    let instances = [leb(count), one.repeat(count)].concat();
    [component, &section(1, module), &section(2, &instances)].concat()
}

/// A component of some kilobytes whose one function has so many variables and
/// so many loops: the compiler's work grows with the product.
pub(crate) fn bomb(variables: usize, loops: usize) -> Vec<u8> {
    // One group of locals, all of them of type i64.
    let mut body = [leb(1), leb(variables), vec![0x7e]].concat();
    for turn in 0..loops {
        let from = (turn * 7919) % variables;
        let to = (from + 1) % variables;
        // loop, local.get, i64.const 1, i64.add, local.tee, i32.wrap_i64, br_if 0, end
        body.extend([0x03, 0x40, 0x20]);
        body.extend(leb(from));
        body.extend([0x42, 0x01, 0x7c, 0x22]);
        body.extend(leb(to));
        body.extend([0xa7, 0x0d, 0x00, 0x0b]);
    }
    // Their sum, so that all of them are alive throughout.
    body.extend([0x42, 0x00]);
    for variable in 0..variables {
        body.push(0x20);
        body.extend(leb(variable));
        body.push(0x7c);
    }
    body.extend([0x1a, 0x0b]);
    let code = [vec![1], leb(body.len()), body].concat();
    let module = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, b"\x01\x60\x00\x00"),
        section(3, b"\x01\x00"),
        section(10, &code),
    ]
    .concat();
    [b"\0asm\x0d\0\x01\0".to_vec(), section(1, &module)].concat()
}
