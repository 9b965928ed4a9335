// This program's version, as runners and the command line tell it. It is package.json's, which a test sees to: that file
// itself would be in every function's bundle.

export const version = "0.1.0";
