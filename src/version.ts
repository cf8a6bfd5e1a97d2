/** The version in package.json: `npm run check:rules` holds them together. A constant, because a bundle has no package.json beside it. */
export const version = '0.1.0';
