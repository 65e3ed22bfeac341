/**
 * What a program finds, by the object that has it: ES2023 (ECMA-262, 14th edition) without `Intl`, `WeakRef`,
 * `FinalizationRegistry`, `Atomics`, `SharedArrayBuffer`, and whatever depends on a locale. `Name#` is a prototype,
 * `%Name%` an object without a global name. An object that isn't listed keeps only what stays everywhere: symbols and the
 * names in `EVERYWHERE`.
 */
export const ES2023: Readonly<Record<string, string>> = {
  globalThis:
    "Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp Error " +
    "AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError globalThis JSON Math ArrayBuffer " +
    "Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array BigUint64Array BigInt64Array Uint8ClampedArray " +
    "Float32Array Float64Array DataView Map BigInt Set WeakMap WeakSet Proxy Reflect decodeURI decodeURIComponent " +
    "encodeURI encodeURIComponent escape unescape eval isFinite isNaN",
  Object:
    "assign getOwnPropertyDescriptor getOwnPropertyDescriptors getOwnPropertyNames getOwnPropertySymbols hasOwn is " +
    "preventExtensions seal create defineProperties defineProperty freeze getPrototypeOf setPrototypeOf isExtensible " +
    "isFrozen isSealed keys entries fromEntries values",
  "Object#":
    "__defineGetter__ __defineSetter__ hasOwnProperty __lookupGetter__ __lookupSetter__ isPrototypeOf " +
    "propertyIsEnumerable toString valueOf __proto__",
  "Function#": "arguments caller apply bind call toString",
  Array: "isArray from of",
  "Array#":
    "at concat copyWithin fill find findIndex findLast findLastIndex lastIndexOf pop push reverse shift unshift slice sort " +
    "splice includes indexOf join keys entries values forEach filter flat flatMap map every some reduce reduceRight " +
    "toReversed toSorted toSpliced with toString",
  Number:
    "isFinite isInteger isNaN isSafeInteger parseFloat parseInt MAX_VALUE MIN_VALUE NaN NEGATIVE_INFINITY " +
    "POSITIVE_INFINITY MAX_SAFE_INTEGER MIN_SAFE_INTEGER EPSILON",
  "Number#": "toExponential toFixed toPrecision toString valueOf",
  "Boolean#": "toString valueOf",
  String: "fromCharCode fromCodePoint raw",
  "String#":
    "anchor at big blink bold charAt charCodeAt codePointAt concat endsWith fontcolor fontsize fixed includes indexOf " +
    "italics lastIndexOf link match matchAll normalize padEnd padStart repeat replace replaceAll search slice small split " +
    "strike sub substr substring sup startsWith toString trim trimStart trimLeft trimEnd trimRight toLowerCase " +
    "toUpperCase valueOf",
  Symbol:
    "for keyFor asyncIterator hasInstance isConcatSpreadable iterator match matchAll replace search species split " +
    "toPrimitive toStringTag unscopables",
  "Symbol#": "toString valueOf description",
  Date: "now parse UTC",
  "Date#":
    "toString toDateString toTimeString toISOString toUTCString getDate setDate getDay getFullYear setFullYear getHours " +
    "setHours getMilliseconds setMilliseconds getMinutes setMinutes getMonth setMonth getSeconds setSeconds getTime " +
    "setTime getTimezoneOffset getUTCDate setUTCDate getUTCDay getUTCFullYear setUTCFullYear getUTCHours setUTCHours " +
    "getUTCMilliseconds setUTCMilliseconds getUTCMinutes setUTCMinutes getUTCMonth setUTCMonth getUTCSeconds " +
    "setUTCSeconds valueOf toJSON",
  Promise: "all allSettled any race resolve reject",
  "Promise#": "then catch finally",
  "RegExp#":
    "exec dotAll flags global hasIndices ignoreCase multiline source sticky unicode compile toString test",
  // Not of ES2023, but without it V8 notes no line numbers.
  Error: "stackTraceLimit",
  "Error#": "toString",
  JSON: "parse stringify",
  Math:
    "abs acos acosh asin asinh atan atanh atan2 ceil cbrt expm1 clz32 cos cosh exp floor fround hypot imul log log1p log2 " +
    "log10 max min pow random round sign sin sinh sqrt tan tanh trunc E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2",
  ArrayBuffer: "isView",
  "ArrayBuffer#": "byteLength slice",
  "%TypedArray%": "of from",
  "%TypedArray%#":
    "buffer byteLength byteOffset entries keys values at copyWithin every fill filter find findIndex findLast " +
    "findLastIndex forEach includes indexOf join lastIndexOf map reverse reduce reduceRight set slice some sort subarray " +
    "toReversed toSorted with toString",
  "DataView#":
    "buffer byteLength byteOffset getInt8 setInt8 getUint8 setUint8 getInt16 setInt16 getUint16 setUint16 getInt32 " +
    "setInt32 getUint32 setUint32 getFloat32 setFloat32 getFloat64 setFloat64 getBigInt64 setBigInt64 getBigUint64 " +
    "setBigUint64",
  "Map#": "get set has delete clear entries forEach keys size values",
  BigInt: "asUintN asIntN",
  "BigInt#": "toString valueOf",
  "Set#": "has add delete clear entries forEach size values keys",
  "WeakMap#": "delete get set has",
  "WeakSet#": "delete has add",
  Proxy: "revocable",
  Reflect:
    "defineProperty deleteProperty apply construct get getOwnPropertyDescriptor getPrototypeOf has isExtensible ownKeys " +
    "preventExtensions set setPrototypeOf",
};

/** Names that stay on whatever object has them. */
export const EVERYWHERE = "constructor length name prototype message next return throw BYTES_PER_ELEMENT";
