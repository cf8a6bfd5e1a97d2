# Not built where this was written: no Docker was at hand, and the package with the addon for musl is not published yet (docs/platforms.md).
#   docker build -f alpine.Dockerfile -t app path/to/application
FROM node:22-alpine AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No install script is needed: the addon for musl is a package of its own, an optional dependency (--omit=optional would leave it out).
RUN npm ci --omit=dev --ignore-scripts
# An addon for another libc ends the build here, not the first request.
RUN node -e "import('bertha-encoder').then(({ systemInfo }) => console.log(systemInfo().addon))"
COPY . .

FROM node:22-alpine
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app /app
USER node
EXPOSE 3000
# node itself, not npm: signals reach it.
CMD ["node", "server.js"]
