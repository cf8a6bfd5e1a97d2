# Not built where this was written: no Docker was at hand.
#   docker build -f distroless.Dockerfile -t app path/to/application
# The builder has the libc of the image below, so that npm takes the addon for glibc.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts
RUN node -e "import('bertha-encoder').then(({ systemInfo }) => console.log(systemInfo().addon))"
COPY . .

FROM gcr.io/distroless/nodejs22-debian12:nonroot
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app /app
EXPOSE 3000
# The image's entry point is node.
CMD ["server.js"]
