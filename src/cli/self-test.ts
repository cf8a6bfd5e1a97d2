/** A text and the vector all-MiniLM-L6-v2 gives it: row 58 of test/golden/minilm, computed in float64 by PyTorch, stored as float32. */
export const selfTestText = 'The film was not as bad as the critics had claimed.';

/**
 * Largest difference that rounding explains, with room, by how the weights are stored; docs/precision.md has those of 1,000 texts: 2e-4 for half floats, 0.025 for
 * int8.
 */
export const selfTestTolerances = { F32: 1e-5, F16: 1e-3, I8: 0.05 } as const;

/** [384] */
export function selfTestVector(): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(kVector, 'base64'));
  return new Float32Array(bytes.buffer);
}

// Little-endian float32, base64.
const kVector =
  'Iw8Jvacavzye3hK9zybMPRM4ATvz+JQ9+7YwvQ5lRD3Byvq8cfX7u/LnNbvO2g89G/mqPe7MybtktYS9pDTJOxsR+z0vP1u9ew2MPfdG0rx+SZ09NbUvPIUS' +
  'fz2gLQk9NdJhPNJVV73Ko6W8aGMnPZOBg72ARvI6JuSjvU9KAz7Aan29FPUXvU5jar0+ddC76uzsOjT8+rs2WLu8CPpUvMk2MT2GvUY94DOnPKqsar36WpU8' +
  '09ImvVGTBTxWNmi9A8GBvYtFQjwFNtW8V4cAPSzeHDy5ora9xEcevYBvCb2Wdi29W/yIu1R9Lj2e5g69p65NPVvUxb13T0k8F0bsvFRqBT70d4a8JKp+vVZr' +
  '4rzhUo69osW5PQ2gMb1+gOu8/tmhPdRHlL33ifK8ig4wvXDWMLzC3wy8u+WZu3ZbUL16i3I9hRWtve8cJr3+G0i8BTi3PCG0PLwDF/E96sgdvd6Qs71bCbI9' +
  'FTGIPJ54Gr3YEE+8fASYPQfamz3/TVi9PhsfvdR33TxxgQo9D1kRPYPD2DrkXoI98t1/vZkwIr3xnEc9mgtWvcQGhz1jh4a9WdAbvb7H3TyoaV48G2sau+Yo' +
  'oTxGm4A8Cf61PRHVezwzHaY9M6+wPBB8RL1diyI9u6MTPVEmhjwA4FS9sBczPQIFi72TG868LB7FPAc6qYlh+TY7NCCfPNo3Oz2VVgy9hC1lvF3dcLwMuHG7' +
  'RRvsuythgTwqRQW8+4FzPLHQ472vP2K9mQ+yu0vEgz044qw9fCwyvWbXKjsRr549fDD+u7dlR738N4I973levdtn8b0NETa9nP8PveIYG70vIn48Iau5vPCQ' +
  'HDyZtEe92HUJvDb+oD08Yjw9de8LPqRzX73HgFe9RPfgPPedpTwBhOA8VzOmvNNzQT1RyXC9vjtHPGykbz2kzis964AMPWh6RLzz9by9cLWdPeeNAj0EoBg8' +
  'oxbrPLiVUz12KPG7BH1LPSvj8jw5eBo9Hp3uOyQRqrvZ5248FifgPYqb5byvOIi9CpshvT/LmT0BxGg8EmcjPTYmhL0OXxC9WfbPvc7Hr7yvK9G8JEUEvd3Y' +
  'hz0MsEm9qottvZeStTwxaUi9IYo3vUSd/rwdowM9bRwRvP3xV7wbJwK9BB8gvfxiZbyktrW80SaePT9Vlz1u73i8yFAkO+JFAz3eokw7jYREPN0x0giqlGm9' +
  'GPNmveo79Ly7CiM9Px3tvUFPQLx8gsu9VHs9Pa1v7z1RAF88f2FTvLuVA71rPms8dduwvO4ypD0lKWQ8KNRMvcnytru84EA826VWvK1ZyT0spsM8FtqDOlFt' +
  'i7zkfYG7EuwuPeQezLxi+fq8QuScPLSpKb0Rsys9QRTqO+klkL0nUdC5KANQPKzauTzT0g893PMavRuni71xnYe95hOXvP72wTysugO9xqUtvVUS9DszUFu9' +
  'zkQnPV0emztw6hY9F4UePWQwlr00ioW8bbMevNGPgT2FnJO9NgOCvfXdB73AvUO9163RPVgwSTyCIjy9lvdLvb4Lhr3Yusi9T4QdvJwJOr2RQSe9i4gNPfO2' +
  'RD3fsES8GNdFveAB+rv3KJy9NVwnPSmtvLtEUiM9FISxvKJgQD1kWgU96IPgO3I5Nz1j8VQ7utxEPaevEruLw8E8fgAyPacWJj0s5x+971oIvXnVAT5HdhU9' +
  'EKyMvbsi8T3Y7eA8YwwfPRLJtrIqkdG5k4KDPIvDyD1rhHm8RxabvQv3Y70o+iM8E2kBPnkNHz1pU7E9UMKqvf5i7TzTvfO8L/BMvQiYyb1BKWI9sswVPXCe' +
  'OTz0WSM9JamDPVI7B7w+9bq7IZiOPPwfJ70UUDo82gnCPDeVRj0IQSi+2hisvOmqajyEFXY9bqtPPYwBrLqJKDA5p0W+vbOHJb2CHnw984yNPELqITwvxGG9' +
  '+p1Tu8txwT1Ce1a9JzvZvAeZyj30LGA8e6OEPYwQkL2vwbm9jNclvbxu6T3XvBE9clWbuquLzztNXq09l2gyPGPZwLxnWci81mG8vWDBnDsJU8o8nMSQvHFu' +
  'ZT3UbrU9';
