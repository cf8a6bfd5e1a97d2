import { configure } from 'bertha-encoder';

configure({ addon: new URL('./bertha.node', import.meta.url), modelDirectory: new URL('./model/', import.meta.url) });
