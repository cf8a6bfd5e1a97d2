// Brings its files along, beside the bundle. A module's imports run before its own statements, so configure has a module of its own.
import './locations.mjs';
import './embed.mjs';
