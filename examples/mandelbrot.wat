;; One row of the Mandelbrot set as RGB bytes; gives where they are and how many.
(module
  (memory (export "memory") 1)
  (func (export "row") (param $y f64) (param $width i32) (param $height i32) (param $limit i32) (result i32 i32)
    (local $x i32) (local $n i32) (local $cr f64) (local $ci f64) (local $zr f64) (local $zi f64) (local $r2 f64) (local $i2 f64)
    (local.set $ci (f64.sub (f64.div (f64.mul (local.get $y) (f64.const 2.4)) (f64.convert_i32_s (local.get $height))) (f64.const 1.2)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_s (local.get $x) (local.get $width)))
        (local.set $cr (f64.sub (f64.div (f64.mul (f64.convert_i32_s (local.get $x)) (f64.const 3.2)) (f64.convert_i32_s (local.get $width))) (f64.const 2.3)))
        (local.set $zr (f64.const 0))
        (local.set $zi (f64.const 0))
        (local.set $r2 (f64.const 0))
        (local.set $i2 (f64.const 0))
        (local.set $n (i32.const 0))
        (block $out
          (loop $again
            (br_if $out (i32.ge_s (local.get $n) (local.get $limit)))
            (br_if $out (f64.gt (f64.add (local.get $r2) (local.get $i2)) (f64.const 4)))
            (local.set $zi (f64.add (f64.mul (f64.mul (f64.const 2) (local.get $zr)) (local.get $zi)) (local.get $ci)))
            (local.set $zr (f64.add (f64.sub (local.get $r2) (local.get $i2)) (local.get $cr)))
            (local.set $r2 (f64.mul (local.get $zr) (local.get $zr)))
            (local.set $i2 (f64.mul (local.get $zi) (local.get $zi)))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br $again)))
        (if (i32.eq (local.get $n) (local.get $limit)) (then (local.set $n (i32.const 0))))
        (i32.store8 (i32.mul (local.get $x) (i32.const 3)) (i32.mul (local.get $n) (i32.const 3)))
        (i32.store8 (i32.add (i32.mul (local.get $x) (i32.const 3)) (i32.const 1)) (i32.mul (local.get $n) (i32.const 7)))
        (i32.store8 (i32.add (i32.mul (local.get $x) (i32.const 3)) (i32.const 2)) (i32.mul (local.get $n) (i32.const 13)))
        (local.set $x (i32.add (local.get $x) (i32.const 1)))
        (br $next)))
    (i32.const 0)
    (i32.mul (local.get $width) (i32.const 3))))
